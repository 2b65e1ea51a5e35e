import { availableParallelism } from 'node:os';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import type { Metadata } from '../format/metadata.ts';
import { type EntryProblem, entryProblems } from '../image/entry-problem.ts';
import { verifyImage } from '../image/verify.ts';
import type { NativeCatalogue, PlannedCatalogue } from '../native/addon.ts';
import { loadAddon } from '../native/load.ts';
import { type JobOptions, runJob } from '../native/run-job.ts';
import { buildIndex } from './build-index.ts';
import { checkFree, checkRequest } from './check-request.ts';
import { outputPaths } from './output-paths.ts';
import { packMetadata } from './pack-metadata.ts';
import { publishImage } from './publish.ts';
import { type Selection, walkOptions } from './selection.ts';
import { claimWorkDirectory, type WorkDirectory } from './work-directory.ts';
import { writeReadable } from './write-readable.ts';

/** One of so many shares of a tree. */
export interface TreePart {
  /** From 1 to `count`. */
  readonly number: number;
  readonly count: number;
}

export interface PackOptions extends JobOptions, Selection {
  /** Replaces an image that exists. */
  readonly force?: boolean | undefined;
  /** Threads. Default: one for each processor. */
  readonly jobs?: number | undefined;
  /**
   * Packs this share of the trees only: all directories, and of the rest what the hash of its path says. The images of all parts, merged, hold the
   * trees as one image would.
   */
  readonly part?: TreePart | undefined;
  /** Free keys and values to store in the image. */
  readonly metadata?: Metadata | undefined;
  /** Stores source, host, time and command; the image then differs from run to run. */
  readonly provenance?: boolean | undefined;
}

export interface PackSummary {
  /** Path of the index. */
  readonly image: Buffer;
  readonly entries: number;
  /** Bytes of files' content, holes included; a file with several names counts once. */
  readonly bytes: number;
  readonly volumeLength: number;
  readonly indexLength: number;
  /** 32 hexadecimal digits; equal for equal trees. */
  readonly id: string;
  /** Inodes that removing what was packed would free. */
  readonly inodes: number;
  /** Names left out by `exclude`, whatever is below them not counted. */
  readonly excluded: number;
  /** Left out on purpose: sockets, which no image holds, and what mount points show with `oneFileSystem`; paths as the sources name them. */
  readonly skipped: readonly EntryProblem[];
  /** Mount points whose contents were packed, too. */
  readonly notices: readonly EntryProblem[];
  /** With `skipUnreadable`: what could not be read, vanished or changed, and is not in the image; and directories that changed, which are as they were. */
  readonly unreadable: readonly EntryProblem[];
}

/** Each part's image may be one of those that are merged at once. */
const maxParts = 1024;

/**
 * Packs trees into the image whose index is `output` (`NAME.shoal`; the volume `NAME.tar` lies beside it). One directory: its contents are the
 * root. Several sources, or a file: each stands under its base name.
 *
 * The image appears under its name only when it is complete, synced, and was read back; otherwise nothing stays, and what a killed run leaves
 * is removed by the next one.
 *
 * @throws ShoalError `usage`, `missing`, `exists`, `permission` for mistakes in the request, before any work; `busy` where another run makes the
 * same image; `unreadable`, `missing` or `changed` with all such entries in `problems`; `cancelled`; `io`.
 *
 * @example
 * ```ts
 * const { entries, skipped } = await packTree(['photos'], 'photos.shoal', {
 *   metadata: { licence: 'CC0' },
 *   onProgress: ({ bytesDone, bytesTotal }) => console.log(bytesDone, bytesTotal),
 * });
 * ```
 */
export async function packTree(
  sources: readonly (string | Buffer)[],
  output: string | Buffer,
  options: PackOptions = {},
): Promise<PackSummary> {
  const { force = false, jobs = availableParallelism(), metadata = {}, provenance = false } = options;
  if (options.part !== undefined) checkPart(options.part);
  const trees = sources.map((source) => Buffer.from(source));
  const paths = outputPaths(Buffer.from(output));
  const stored = packMetadata(metadata, trees, provenance);
  const addon = loadAddon();
  await checkRequest(trees, paths);

  const work = await claimWorkDirectory(paths);
  try {
    await checkFree(paths, force);
    const whole = await runJob((counters) => addon.walk(walkOptions(trees, jobs, options), counters), options);
    const walked = { ...whole, ...(options.part && (await keepPart(whole.catalogue, options.part, jobs))) };
    const { planned, unreadable } = await writeReadable(walked, work, jobs, options);
    const index = await buildIndex(planned.catalogue, paths.volumeName, stored, work);
    await readBack(work, planned.entries, jobs, options);
    if (options.signal?.aborted) {
      throw new ShoalError('cancelled', 'cancelled before it was done', { cause: options.signal.reason });
    }
    await work.checkOwn();
    await publishImage(work, paths, force);
    return {
      image: paths.index,
      entries: planned.entries,
      bytes: planned.bytes,
      inodes: planned.survey.inodes,
      volumeLength: planned.volumeLength,
      indexLength: index.length,
      id: index.id.toString('hex'),
      excluded: walked.excluded,
      skipped: entryProblems(walked.skipped),
      notices: entryProblems(walked.notices),
      unreadable: entryProblems(unreadable),
    };
  } catch (error) {
    throw work.named(error);
  } finally {
    await work.release();
  }
}

function checkPart({ number, count }: TreePart): void {
  const isNumber = Number.isInteger(number) && number >= 1 && number <= count;
  if (isNumber && Number.isInteger(count) && count <= maxParts) return;
  throw new ShoalError('usage', `expected part 1 to N of N, at most ${maxParts}, found part ${number} of ${count}`);
}

async function keepPart(
  catalogue: NativeCatalogue,
  { number, count }: TreePart,
  jobs: number,
): Promise<PlannedCatalogue> {
  return await runJob(() => loadAddon().keepPart(catalogue, number - 1, count, jobs));
}

/** Nothing is published that was not read through its own index, every byte against its checksum. */
async function readBack(work: WorkDirectory, entries: number, jobs: number, options: JobOptions): Promise<void> {
  const verified = await verifyImage(work.index, { ...options, jobs });
  const [first] = verified.problems;
  if (first === undefined && verified.entries === entries) return;
  const found = first === undefined ? `${verified.entries} entries` : `${showBytes(first.path)}: ${first.message}`;
  throw new ShoalError(
    'io',
    `expected to read back ${entries} entries as written, found ${found}. No image was made; check the storage and pack again`,
    { path: showBytes(work.volume) },
  );
}
