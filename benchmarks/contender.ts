import type { Command } from './run-command.ts';

/** A data set, and where an archive of it lies or shall lie. */
export interface Packed {
  /** A directory, or a tar where there is none: see DataSet. */
  readonly source: string;
  readonly archive: string;
}

export interface Mounted {
  /** The directory where the files are. */
  readonly root: string;
  /** The process that serves it, where there is one. */
  readonly server?: number;
  unmount(): void;
}

/** Contenders of one kind share an archive, which the name of the kind ends; `none` needs no archive. */
export type Kind = 'none' | ArchiveKind | `${string}.${ArchiveKind}`;
type ArchiveKind = 'tar' | 'squashfs' | 'shoal';

/** One way to keep a tree. What a contender can not do it lacks, and has no row for. */
export interface Contender {
  readonly name: string;
  readonly kind: Kind;
  /** Why it can not run here; undefined where it can. */
  unavailable(): string | undefined;
  pack?(packed: Packed): Command;
  /** Returns when the root can be read. */
  mount?(packed: Packed, at: string): Mounted;
  extract?(packed: Packed, into: string): Command;
  /** Holds the archive against its checksums, or against the tree where it has none. */
  verify?(packed: Packed): Command;
  /** Reads the names of a tar; Shoal writes its index to `index`. */
  readTar?(tar: string, index: string): Command;
  /** A command that does nothing but start. */
  start?(): Command;
}
