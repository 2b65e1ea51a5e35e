import { availableParallelism } from 'node:os';
import { splitEntryPath } from '../base/entry-path.ts';
import { loadAddon } from '../native/load.ts';
import { type JobOptions, runJob } from '../native/run-job.ts';
import { type EntryProblem, entryProblems } from './entry-problem.ts';

export interface ExtractOptions extends JobOptions {
  /** Paths within the image, each with everything below it. Default: all. */
  readonly paths?: readonly (string | Buffer)[] | undefined;
  /** Threads. Default: one for each processor. */
  readonly jobs?: number | undefined;
}

export interface ExtractSummary {
  /** Entries extracted. */
  readonly entries: number;
  /** Bytes of their content, holes included. */
  readonly bytes: number;
  /** Entries that were not extracted (damaged ones are not left behind), or lack some of their metadata; in index order. */
  readonly problems: readonly EntryProblem[];
}

/**
 * Extracts entries of the image whose index is at `image` into `directory`, which must exist, with all their metadata; owners and devices only as root.
 * Nothing is ever written outside of `directory`, and no symbolic link in it is followed.
 *
 * Directories that are there are kept with what else they hold; a file or symbolic link in the place of an entry is replaced; anything else in the
 * way is a problem. Throws ShoalError where the image cannot be opened, or where no space is left.
 *
 * @example
 * ```ts
 * const { problems } = await extractImage('photos.shoal', 'copy', { paths: ['cats'] });
 * for (const { path, message } of problems) console.error(path.toString(), message);
 * ```
 */
export async function extractImage(
  image: string | Buffer,
  directory: string | Buffer,
  options: ExtractOptions = {},
): Promise<ExtractSummary> {
  const { jobs = availableParallelism() } = options;
  const paths = (options.paths ?? []).map((path) => Buffer.from(path));
  for (const path of paths) splitEntryPath(path); // throws for what can be no path of an entry
  const result = await runJob(
    (counters) => loadAddon().extract(Buffer.from(image), paths, Buffer.from(directory), jobs, counters),
    options,
  );
  return { entries: result.entries, bytes: result.bytes, problems: entryProblems(result.problems) };
}
