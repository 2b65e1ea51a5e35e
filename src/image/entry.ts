/** What an entry is. */
export type EntryKind = 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo' | 'socket';

/** An entry, decoded. Which fields mean something depends on its kind; the others are 0. */
export interface Entry {
  /** Its place in the entry table; its inode number is one more. */
  readonly number: number;
  /** A further name of `target`; all else is that entry's. `IndexReader.resolve` goes there. */
  readonly alias: boolean;
  readonly target: number;
  /** Undefined for an alias. */
  readonly kind: EntryKind | undefined;
  /** As `st_mode`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** As `st_nlink` of the source. */
  readonly nlink: number;
  /** Byte offset of its set in `xattrs`, or `noXattrs`. */
  readonly xattrs: number;
  /** mtime since 1970, and the nanoseconds above it. */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** File: length of its content; symbolic link: of its target. */
  readonly size: number;
  /** File: see docs/FORMAT.md §4.2 word 1. */
  readonly checksum: number;
  /** File: in its volume, or of its list in `extents`; symbolic link: in `linkTargets`. */
  readonly offset: number;
  /** File: row in `volumes`, or `extentListVolume`. */
  readonly volume: number;
  /** Directory. */
  readonly parent: number;
  readonly firstChild: number;
  readonly childCount: number;
  readonly directoryRow: number;
  /** Device. */
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/** By bits 12 to 15 of `st_mode`. */
export const entryKinds: Readonly<Record<number, EntryKind>> = {
  1: 'fifo',
  2: 'character',
  4: 'directory',
  6: 'block',
  8: 'file',
  10: 'symlink',
  12: 'socket',
};
