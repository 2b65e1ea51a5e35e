import type { WalkOptions } from '../native/packing.ts';

/** Which entries of the sources are packed. Without any of these, all. */
export interface Selection {
  /**
   * Patterns with the rules of gitignore(5): without a slash they are held against base names at any depth, with one against the path from the
   * source's root; a slash at the end means directories only. A directory that is excluded is not entered. Names are bytes.
   */
  readonly exclude?: readonly (string | Buffer)[] | undefined;
  /**
   * The only paths to be packed, directories with all that is below them, each with a newline behind it (with a NUL, if `nullSeparated`).
   * Relative to the one source, or absolute and below it. Directories on the way are stored, too.
   */
  readonly files?: Buffer | undefined;
  readonly nullSeparated?: boolean | undefined;
  /** Packs directories on which other filesystems are mounted as empty ones. */
  readonly oneFileSystem?: boolean | undefined;
  /** Leaves out what cannot be read, vanishes or changes meanwhile, and tells it in the summary; without it nothing is packed then. */
  readonly skipUnreadable?: boolean | undefined;
}

/**
 * What the native walk is told. `testsAccess`: it also asks whether files may be opened, which is else found when they are. `measuresSpace`: it also
 * notes what space they take.
 */
export function walkOptions(
  sources: readonly Buffer[],
  jobs: number,
  selection: Selection,
  { testsAccess = false, measuresSpace = false } = {},
): WalkOptions {
  const { exclude = [], files, nullSeparated = false, oneFileSystem = false, skipUnreadable = false } = selection;
  return {
    sources,
    jobs,
    exclude: exclude.map((pattern) => Buffer.from(pattern)),
    ...(files !== undefined && { files }),
    nullSeparated,
    oneFileSystem,
    skipUnreadable,
    testsAccess,
    measuresSpace,
  };
}
