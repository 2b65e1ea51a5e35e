import { availableParallelism } from 'node:os';
import { loadAddon } from '../native/load.ts';
import { type JobOptions, runJob } from '../native/run-job.ts';
import { type EntryProblem, entryProblems } from './entry-problem.ts';

export interface VerifyOptions extends JobOptions {
  /** A directory to compare content and metadata with. */
  readonly against?: string | Buffer | undefined;
  /** Threads. Default: one for each processor. */
  readonly jobs?: number | undefined;
}

export interface VerifySummary {
  /** Entries of the image. */
  readonly entries: number;
  /** Bytes of their content, holes included. */
  readonly bytes: number;
  /** Of them, bytes that were read but could not be checked: their volumes have no checksums. */
  readonly uncheckedBytes: number;
  /** Volumes whose bytes between files (headers and padding, which only tar needs) were not checked: the index has no checksums of them. */
  readonly unframedVolumes: number;
  /** Damaged entries, in index order; if there are none, damage between files, with the volume's path. Empty: the image is whole. */
  readonly problems: readonly EntryProblem[];
  /** What differs from the directory, one for each difference, in index order. Empty if none was given. */
  readonly differences: readonly EntryProblem[];
  /** Sockets of the directory, which no image holds. */
  readonly ignored: readonly EntryProblem[];
}

/**
 * Reads every byte of the image whose index is at `image` and holds it against its checksums; with `against` also compares it with a directory:
 * names, types, metadata, links and content.
 *
 * Damage and differences of single entries are told in the summary. Throws ShoalError where the index is damaged or a volume is not the one that it
 * describes: then nothing can be said about entries.
 *
 * @example
 * ```ts
 * const { problems, differences } = await verifyImage('photos.shoal', { against: 'photos' });
 * if (problems.length === 0 && differences.length === 0) console.log('every byte is there');
 * ```
 */
export async function verifyImage(image: string | Buffer, options: VerifyOptions = {}): Promise<VerifySummary> {
  const { against, jobs = availableParallelism() } = options;
  const index = Buffer.from(image);
  const addon = loadAddon();
  const found = { differences: [], ignored: [] };
  const result = await runJob(
    (counters) =>
      against === undefined
        ? addon.verify(index, jobs, counters).then((verified) => ({ ...found, ...verified }))
        : addon.compare(index, Buffer.from(against), jobs, counters),
    options,
  );
  return {
    entries: result.entries,
    bytes: result.bytes,
    uncheckedBytes: result.uncheckedBytes,
    unframedVolumes: result.unframedVolumes,
    problems: entryProblems(result.problems),
    differences: entryProblems(result.differences),
    ignored: entryProblems(result.ignored),
  };
}
