/** What packing says to the addon and is told by it: see {@link file://./addon.ts}. */

import type { NativeCatalogue } from './catalogue.ts';
import type { NativeProblem } from './problem.ts';

/** What a walk looks at, as native/pack/walk_options.h has it. */
export interface WalkOptions {
  readonly sources: readonly Buffer[];
  /** Threads; 0: as many as storage keeps busy. */
  readonly jobs: number;
  /** Patterns with the rules of gitignore(5). */
  readonly exclude: readonly Buffer[];
  /** The only paths to be packed, with what is below them, each with a newline or a NUL behind it. */
  readonly files?: Buffer | undefined;
  readonly nullSeparated: boolean;
  readonly oneFileSystem: boolean;
  /** What cannot be read is left out; else the catalogue can be written no more than to find more of it. */
  readonly skipUnreadable: boolean;
  /** Whether files may be opened is told by the walk, too. */
  readonly testsAccess: boolean;
  /** Whether the catalogue is to be divided by planSlices. */
  readonly measuresSpace: boolean;
}

/** Bytes, as native/pack/slice_plan.h has them. */
export interface SliceLimits {
  /** That may be taken beyond what the sources took. */
  readonly maxExtra: number;
  /** Of these: taken all the time. */
  readonly beside: number;
  /** Of a slice's volume, unless a single file is longer; 0: no limit. */
  readonly volumeSize: number;
}

/** What is packed, compared and removed before the next one is begun. */
export interface NativeSlice {
  /** Entries of the catalogue, from `first` to before `end`. */
  readonly first: number;
  readonly end: number;
  /** Bytes taken beyond what the sources took while the slice is made, at most. */
  readonly extra: number;
}

/** Counts of entries by kind, a root made up not among them. */
export interface NativeSurvey {
  readonly files: number;
  readonly directories: number;
  readonly symbolicLinks: number;
  readonly devices: number;
  readonly fifos: number;
  /** Further names of hard-linked files. */
  readonly aliases: number;
  /** Inodes that removing all of it would free. */
  readonly inodes: number;
}

export interface WalkedCatalogue {
  readonly catalogue: NativeCatalogue;
  readonly entries: number;
  /** Bytes of file content, aliases not counted again, holes included. */
  readonly bytes: number;
  readonly survey: NativeSurvey;
}

export interface WalkResult extends WalkedCatalogue {
  /** Names that a pattern excluded; what is below them was not looked at. */
  readonly excluded: number;
  /** Left out on purpose: sockets, and what mount points show with `oneFileSystem`. */
  readonly skipped: readonly NativeProblem[];
  /** Packed, but maybe not thought of: what mount points show. */
  readonly notices: readonly NativeProblem[];
  /** What could not be read. The catalogue lacks them. */
  readonly unreadable: readonly NativeProblem[];
}

export interface LeaveOutResult extends WalkedCatalogue {
  /** Other names of the same files, which went with them. */
  readonly others: readonly NativeProblem[];
}

/** How a catalogue is put into volumes. */
export interface NativePlanOptions {
  /** Of a volume in bytes, at most; 0: one volume for everything. */
  readonly volumeSize: number;
  /** Of zstd, with which they are compressed, 1 to 22; 0: they are not. */
  readonly level: number;
  /** Whether the members of a WebDataset sample stand together, in one volume. */
  readonly samples?: boolean | undefined;
  /** A file that lists paths whose members stand first; each ends in a newline, or a NUL. */
  readonly orderFile?: Buffer | undefined;
  readonly orderNull?: boolean | undefined;
}

export interface PlanResult {
  /** Length of each volume that writeVolumes will make. */
  readonly volumeLengths: Float64Array;
  /** Bytes of copies, which are not stored. */
  readonly copiedBytes: number;
  /** Entries that need a volume longer than was asked for, each alone in one. */
  readonly oversized: readonly NativeProblem[];
  /** The first paths in `orderFile` that no file of the tree has, and how many there are. */
  readonly strays: readonly Buffer[];
  readonly strayCount: number;
}

/** How a run that writes volumes can be gone on with. */
export interface NativeCheckpoints {
  /** Files in the run's directory. */
  readonly plan: Buffer;
  readonly journal: Buffer;
  /** Saved with the plan. */
  readonly request: Buffer;
  /** Between two checkpoints. */
  readonly seconds: number;
  /** Whether both files are those of a run that was stopped, from whose plan the catalogue is. */
  readonly resume: boolean;
}

export interface FinishedVolume {
  /** CRC32C of each piece (docs/FORMAT.md §4.13). */
  readonly pieces: Uint32Array;
  /** Of a compressed volume (docs/FORMAT.md §4.14). */
  readonly frames?: NativeFrames;
}

export interface WriteResult {
  readonly unreadable: readonly NativeProblem[];
  /** Files that were not the same before, during and after reading. */
  readonly changed: readonly NativeProblem[];
  /** Their entries. */
  readonly failedFiles: Uint32Array;
  /** Directories that changed: where the walk was to skip what is unreadable, they are packed as it saw them. Else they are in `changed`. */
  readonly directories: readonly NativeProblem[];
}

/** An archive to be read from its beginning to its end. */
export interface NativeArchive {
  readonly path: Buffer;
  /** How messages name it. */
  readonly shown: Buffer;
  /** A program that decompresses standard input, and its arguments; empty: none. */
  readonly command: readonly Buffer[];
  /** It is one of Shoal's own, whose status tells an error's code, and whose message is for users. */
  readonly isOwn: boolean;
}

export interface ScanArchiveResult extends WalkedCatalogue {
  /** Members that have no place in a tree. */
  readonly skipped: readonly NativeProblem[];
}

export interface NativeFrames {
  readonly plainLength: number;
  readonly frameLength: number;
  /** Where each frame begins, and where the last one ends. */
  readonly offsets: Float64Array;
}

export interface EncodedVolume extends NativeFrames {
  /** The frames, and the seek table behind them. */
  readonly bytes: Buffer;
  /** Whether compressing pays, as a sample of all of it says. */
  readonly pays: boolean;
}
