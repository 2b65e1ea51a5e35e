/**
 * The exact surface of the native addon. Paths and names are bytes (`Buffer`), because names on Linux need not be text.
 * Every promise rejects with a {@link NativeFailure}; {@link file://./load.ts} turns it into a ShoalError.
 */

import type { CatalogueColumns, NativeCatalogue } from './catalogue.ts';
import type {
  EncodedVolume,
  FinishedVolume,
  LeaveOutResult,
  NativeArchive,
  NativeCheckpoints,
  NativeFrames,
  NativePlanOptions,
  NativeSlice,
  PlanResult,
  ScanArchiveResult,
  SliceLimits,
  WalkedCatalogue,
  WalkOptions,
  WalkResult,
  WriteResult,
} from './packing.ts';
import type { NativeFailure, NativeProblem } from './problem.ts';
import type { NativeStatistics } from './statistics.ts';

/** Places in the `BigUint64Array(5)` through which a job tells how far it is, and is told to stop. */
export const ProgressCounter = {
  entriesDone: 0,
  bytesDone: 1,
  /** 0 while unknown. */
  entriesTotal: 2,
  /** 0 while unknown. */
  bytesTotal: 3,
  /** Set to 1n to end the job with `cancelled`. */
  cancel: 4,
} as const;

export interface ScanResult {
  readonly catalogue: NativeCatalogue;
  readonly entries: number;
  readonly bytes: number;
  /** Members that have no place in a tree (paths with `..`, links to nothing …). */
  readonly skipped: readonly NativeProblem[];
  /** Which of the given paths each volume is. */
  readonly order: readonly number[];
  /** The id in the heads of volumes that Shoal wrote, 32 hexadecimal digits; else undefined. */
  readonly id?: string;
  /** CRC32C of each piece of each volume that Shoal wrote; else undefined. */
  readonly pieces?: readonly Uint32Array[];
  /** Of each compressed volume: where its frames lie. */
  readonly frames: readonly (NativeFrames | undefined)[];
}

/** An image to be merged. */
export interface MergePart {
  readonly index: Buffer;
  /** For each row of its volumes: the volume's number among those of all parts. */
  readonly volumes: Uint32Array;
}

export interface MergeResult {
  readonly catalogue: NativeCatalogue;
  readonly entries: number;
  readonly bytes: number;
  /** Numbers of the volumes that are used, ascending: the rows that the catalogue counts. */
  readonly volumes: Uint32Array;
  /** Paths to remove that the merged tree would not have had, but for those below another one. */
  readonly missing: readonly Buffer[];
}

export interface VerifyResult {
  readonly entries: number;
  readonly bytes: number;
  /** Of them, bytes read but not checked: their volumes have no checksums. */
  readonly uncheckedBytes: number;
  /** Volumes of which only files' content was read: the index has no checksums of their pieces. */
  readonly unframedVolumes: number;
  /** Damaged entries; if there are none, damage between files, with the volume's path; then volumes whose seek table is not that of the index. */
  readonly problems: readonly NativeProblem[];
}

export interface CompareResult extends VerifyResult {
  /** Entries whose content or metadata differ from the directory's, are missing there, or stand only there. */
  readonly differences: readonly NativeProblem[];
  /** Sockets of the directory, left out of the comparison on purpose. */
  readonly ignored: readonly NativeProblem[];
}

/** Sources of a pack that were compared with the image, in native memory; freed when collected. */
export interface NativeComparison {
  readonly __comparison: unique symbol;
}

/** The image that sources are compared with. */
export interface ComparedImage {
  readonly index: Buffer;
  /** The image's entry of this name stands for the root of the walk; empty: its root. */
  readonly below: Buffer;
  /** Whether the image holds a slice of the sources: what it lacks is no difference then. */
  readonly isSlice: boolean;
}

export interface CompareSourcesResult extends VerifyResult {
  readonly comparison: NativeComparison;
}

export interface RemoveSourcesResult {
  readonly entries: number;
  readonly inodes: number;
  /** Of content whose last name was removed. */
  readonly bytes: number;
  /** What differs from the image, has changed since it was compared, or could not be removed. */
  readonly kept: readonly NativeProblem[];
  /** Directories that stay because of something in them that was not compared, and that nothing in `kept` explains. */
  readonly notEmpty: readonly Buffer[];
}

export interface ExtractResult {
  readonly entries: number;
  readonly bytes: number;
  /** Entries not extracted, or without some of their metadata. */
  readonly problems: readonly NativeProblem[];
}

/** Mount options of the native engine, as src/mount/mount-options.ts describes them. */
export interface FuseOptions {
  readonly uid?: number;
  readonly gid?: number;
  readonly umask?: number;
  readonly fmask?: number;
  readonly dmask?: number;
  readonly allowOther?: boolean;
  readonly storage?: 'local' | 'network';
  readonly cacheSize?: number;
  readonly verify?: boolean;
  readonly subdir?: Buffer;
  readonly noExec?: boolean;
  /** Of a descriptor on which somebody else mounted, maybe without `default_permissions`. */
  readonly checkPermissions?: boolean;
  readonly skipOpen?: boolean;
  readonly skipOpendir?: boolean;
  readonly readdirplus?: boolean;
  readonly entryTimeout?: number;
  readonly attrTimeout?: number;
  readonly negativeTimeout?: number;
  readonly cacheSymlinks?: boolean;
  readonly parallelDirops?: boolean;
  readonly maxRead?: number;
  readonly readahead?: number;
  readonly cloneFd?: boolean;
  readonly polling?: boolean;
  readonly splice?: boolean;
  readonly uring?: boolean;
  readonly threads?: number;
}

/** A served mount. */
export interface NativeMount {
  /** Resolves when the kernel has ended the session: after unmounting, by whomever. */
  readonly ended: Promise<void>;
  /** Unmounts; lazily (MNT_DETACH) where the mount is busy. `ended` follows. */
  unmount(): void;
  /** Unmounts unless somebody uses the mount; tells whether it did. */
  unmountUnused(): boolean;
  /** Requests of the kernel so far. */
  requests(): number;
  /** What it has done so far, also after it has ended. */
  statistics(): NativeStatistics;
}

/** How a process ended: the number of the signal that killed it, or with 0 its exit status. */
export interface ProcessEnd {
  readonly status: number;
  readonly signal: number;
}

/** The process that is to become a command with mounts of its own. */
export interface NativeCommand {
  /**
   * The descriptor of /dev/fuse of the next mount, which is served before this is called again; undefined when all of them are served and can
   * be read. Rejects with `cancelled` if the process was killed.
   */
  nextDevice(): Promise<number | undefined>;
  /** Once `nextDevice` is through: the process becomes the command. Resolves also if it was killed, which `ended` tells. */
  run(): Promise<void>;
  /** Resolves when the process has ended. Called once. */
  ended(): Promise<ProcessEnd>;
  kill(): void;
}

export interface Addon {
  /** The numbers of native/core/format.h by their names in src/format/constants.ts. */
  readonly formatConstants: Readonly<Record<string, number>>;
  /** All code names, in the order of native/core/status.h. */
  readonly codes: readonly string[];

  crc32c(bytes: Uint8Array, seed?: number): number;

  /** Decompresses a zstd frame that fills all of `into`; throws `checksum` where it is damaged or of another length. */
  zstdDecompress(frame: Uint8Array, into: Uint8Array): void;
  /** A compressed volume of these plain bytes (docs/FORMAT.md §6.4), made as the packer makes them, for tests of those who read it. `level` is 1 to 22. */
  zstdEncode(plain: Uint8Array, frameLength: number, level: number): EncodedVolume;

  /**
   * Walks the sources. One source: its contents are the root; several: each stands under its base name in a root made up
   * (mode 0755, uid, gid and mtime 0: the same for everybody).
   */
  walk(options: WalkOptions, progress: BigUint64Array): Promise<WalkResult>;
  /** The catalogue of a run that was stopped, and the request that it was saved with. Rejects with `malformed` where the file is none, or half of one. */
  loadPlan(path: Buffer): Promise<WalkedCatalogue & { readonly request: Buffer }>;
  /** Writes the catalogue to a new file, for loadPlan. */
  savePlan(catalogue: NativeCatalogue, path: Buffer, request: Buffer): Promise<void>;
  /** Divides a walked catalogue, always in the same way. Rejects with `usage` where the limits are too narrow. */
  planSlices(catalogue: NativeCatalogue, limits: SliceLimits, jobs: number): Promise<readonly NativeSlice[]>;
  /** A slice, with the directories above it, as a catalogue of its own. */
  takeSlice(catalogue: NativeCatalogue, slice: NativeSlice): Promise<WalkedCatalogue>;
  /** Leaves a walked catalogue its directories and what else is of part number `part`, counted from 0, of `count`. */
  keepPart(catalogue: NativeCatalogue, part: number, count: number): Promise<WalkedCatalogue>;
  /** Takes the files of these numbers out of a walked catalogue, as if the walk had not met them. */
  leaveOut(catalogue: NativeCatalogue, files: Uint32Array): Promise<LeaveOutResult>;
  /** Finds files of equal content, which are then planned as copies of one of them. */
  findCopies(catalogue: NativeCatalogue, jobs: number, progress: BigUint64Array): Promise<void>;
  /** Whether compressing pays, by some of the content. */
  sampleContent(catalogue: NativeCatalogue, progress: BigUint64Array): Promise<boolean>;
  /** Decides where everything of a walked catalogue stands in its volumes. */
  planVolumes(catalogue: NativeCatalogue, options: NativePlanOptions, jobs: number): Promise<PlanResult>;
  /**
   * Writes the planned volumes to new files at `paths`, one for each, but for what needs the id. Fills checksums and places. With
   * `checkpoints` what is written is made durable from time to time, and a run that was stopped is gone on with.
   */
  writeVolumes(
    catalogue: NativeCatalogue,
    paths: readonly Buffer[],
    checkpoints: NativeCheckpoints | undefined,
    jobs: number,
    progress: BigUint64Array,
  ): Promise<WriteResult>;
  /** Reads all headers of a tar. The catalogue of its tree is planned like that of a walk; its content is in the archive alone. */
  scanArchive(archive: NativeArchive, progress: BigUint64Array): Promise<ScanArchiveResult>;
  /** writeVolumes for the catalogue of scanArchive, from the same archive, which is read once more. */
  writeArchive(
    catalogue: NativeCatalogue,
    archive: NativeArchive,
    paths: readonly Buffer[],
    jobs: number,
    progress: BigUint64Array,
  ): Promise<void>;
  /** Completes volumes that writeVolumes or writeArchive wrote, with the image's id (16 bytes), and syncs them. Resolves to what the index says of each. */
  finishVolumes(
    catalogue: NativeCatalogue,
    paths: readonly Buffer[],
    id: Uint8Array,
    jobs: number,
  ): Promise<readonly FinishedVolume[]>;
  /** Reads the headers of a tar, uncompressed or as zstd frames with a seek table (docs/FORMAT.md §6.4), or of all volumes of an image, in any order. */
  scanTar(paths: readonly Buffer[], progress: BigUint64Array): Promise<ScanResult>;
  /**
   * Makes one catalogue of the trees of images (later ones win), without what is at and below the paths `removed`. `keepsVolumes`: it has those, too, of
   * which it needs nothing. Opens no volume.
   */
  mergeImages(
    parts: readonly MergePart[],
    removed: readonly Buffer[],
    keepsVolumes: boolean,
    progress: BigUint64Array,
  ): Promise<MergeResult>;
  /** Closes the catalogue: what would change it throws from now on. */
  catalogueColumns(catalogue: NativeCatalogue): CatalogueColumns;

  /** Holds every byte of an index against its checksums and every entry against the others. Resolves to what contradicts. */
  checkIndex(index: Buffer, jobs: number, progress: BigUint64Array): Promise<readonly NativeProblem[]>;
  /** Reads every byte of the image and of its index, and holds it against its checksums. */
  verify(index: Buffer, jobs: number, progress: BigUint64Array): Promise<VerifyResult>;
  /** verify, and compares content and metadata with the directory. */
  compare(index: Buffer, directory: Buffer, jobs: number, progress: BigUint64Array): Promise<CompareResult>;
  /** verify, reading from storage, and compares the sources of a walk with the image. The walk may be later than the one that the image was made from. */
  compareSources(
    catalogue: NativeCatalogue,
    image: ComparedImage,
    jobs: number,
    progress: BigUint64Array,
  ): Promise<CompareSourcesResult>;
  /** Removes what was the same and still is. */
  removeSources(comparison: NativeComparison, jobs: number, progress: BigUint64Array): Promise<RemoveSourcesResult>;
  /** Extracts the entries at `paths` (all if empty), with what is below them, into `directory`, which exists. */
  extract(
    index: Buffer,
    paths: readonly Buffer[],
    directory: Buffer,
    jobs: number,
    progress: BigUint64Array,
  ): Promise<ExtractResult>;

  /**
   * Opens the images (later ones win), mounts their tree on `directory` and serves them from native threads. A number is a descriptor of /dev/fuse on which somebody
   * mounted already. Resolves when the kernel has finished the FUSE handshake.
   */
  mount(indexes: readonly Buffer[], directory: Buffer | number, options: FuseOptions): Promise<NativeMount>;
  /** Unmounts whatever FUSE mount is at `directory`: umount2 as root, else fusermount3. */
  unmount(directory: Buffer, lazy: boolean): Promise<void>;
  /**
   * Forks a process with a mount namespace of its own, which mounts on the directories (absolute) one after the other and then becomes `command`, its
   * name looked up in PATH, with these open descriptors. It is killed when the calling thread ends, and gets the signals that this process gets alone. One at a time.
   */
  startCommand(
    mounts: readonly { readonly source: Buffer; readonly directory: Buffer }[],
    command: readonly Buffer[],
    descriptors: readonly number[],
  ): NativeCommand;
  /** Ends this process at once as another one ended, by its signal where it was one. Sets back nothing, not even the terminal. */
  endAs(end: ProcessEnd): never;

  /** Reads as the C++ reader does, for tests that hold the two readers against each other. */
  openIndex(path: Buffer): NativeIndex;
}

/** The C++ reader's answers as plain values. Every method throws a {@link NativeFailure}. */
export interface NativeIndex {
  readonly entries: number;
  lookup(directory: number, name: Buffer): number | undefined;
  name(entry: number): Buffer;
  path(entry: number): Buffer;
  stat(entry: number): {
    readonly alias: boolean;
    readonly target: number;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    readonly nlink: number;
    readonly size: number;
    readonly seconds: number;
    readonly nanoseconds: number;
    readonly firstChild: number;
    readonly childCount: number;
  };
  linkTarget(entry: number): Buffer;
  extents(entry: number): readonly { fileOffset: number; length: number; offset: number; volume: number }[];
  xattrs(entry: number): readonly { name: Buffer; value: Buffer }[];
}
