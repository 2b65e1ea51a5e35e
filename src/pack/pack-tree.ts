import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import type { Metadata } from '../format/metadata.ts';
import { type EntryProblem, entryProblems } from '../image/entry-problem.ts';
import { verifyImage } from '../image/verify.ts';
import { systemError } from '../io/system-error.ts';
import type { NativeCatalogue, PlannedCatalogue, WalkResult } from '../native/addon.ts';
import { loadAddon } from '../native/load.ts';
import { type JobOptions, runJob } from '../native/run-job.ts';
import { buildIndex } from './build-index.ts';
import { checkFree, checkRequest } from './check-request.ts';
import { outputPaths } from './output-paths.ts';
import { packMetadata } from './pack-metadata.ts';
import { publishImage } from './publish.ts';
import { throwProblems } from './source-problems.ts';
import { claimWorkDirectory, type WorkDirectory } from './work-directory.ts';

/** One of so many shares of a tree. */
export interface TreePart {
  /** From 1 to `count`. */
  readonly number: number;
  readonly count: number;
}

export interface PackOptions extends JobOptions {
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
  /** Sockets, which no image holds; paths as the sources name them. */
  readonly skipped: readonly EntryProblem[];
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
 * same image; `unreadable` or `changed` with all such entries in `problems`; `cancelled`; `io`.
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
    const walked = await runJob((counters) => addon.walk(trees, jobs, counters), options);
    const planned = options.part === undefined ? walked : await keepPart(walked.catalogue, options.part, jobs);
    await writeVolume(walked, work, jobs, options);
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
      volumeLength: planned.volumeLength,
      indexLength: index.length,
      id: index.id.toString('hex'),
      skipped: entryProblems(walked.skipped),
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

async function writeVolume(walked: WalkResult, work: WorkDirectory, jobs: number, options: JobOptions): Promise<void> {
  const file = await open(work.volume, 'wx').catch((error: unknown) => {
    throw systemError('create', showBytes(work.volume), error);
  });
  await file.close();
  // Also where the walk has met unreadable entries: writing finds the others, so that all are told at once.
  const written = await runJob(
    (counters) => loadAddon().writeVolume(walked.catalogue, work.volume, jobs, counters),
    options,
  );
  throwProblems([...walked.unreadable, ...written.unreadable, ...written.changed]);
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
