import { availableParallelism } from 'node:os';
import { parseBraceNames } from '../base/brace-names.ts';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import type { Metadata } from '../format/metadata.ts';
import { type EntryProblem, entryProblems } from '../image/entry-problem.ts';
import { verifyImage } from '../image/verify.ts';
import type { NativePlanOptions, PlanResult, WalkResult } from '../native/addon.ts';
import { loadAddon } from '../native/load.ts';
import { type JobOptions, runJob } from '../native/run-job.ts';
import { buildIndex } from './build-index.ts';
import { checkFree, checkNoSource, checkReadable, checkRequest } from './check-request.ts';
import { type OutputPaths, outputPaths, volumeBeside } from './output-paths.ts';
import { packMetadata } from './pack-metadata.ts';
import { publishImage } from './publish.ts';
import { throwProblems } from './source-problems.ts';
import { type VolumeNaming, volumeName, volumeNames } from './volume-names.ts';
import { claimWorkDirectory, type WorkDirectory } from './work-directory.ts';

export interface PackOptions extends JobOptions {
  /** Replaces an image that exists. */
  readonly force?: boolean | undefined;
  /** Threads. Default: one for each processor. */
  readonly jobs?: number | undefined;
  /** Free keys and values to store in the image. */
  readonly metadata?: Metadata | undefined;
  /** Stores source, host, time and command; the image then differs from run to run. */
  readonly provenance?: boolean | undefined;
  /** Splits the image into volumes `NAME-00000.tar`, `NAME-00001.tar`, … of at most so many bytes each, from 65 536 on. Default: one volume, `NAME.tar`. */
  readonly volumeSize?: number | undefined;
  /** Names for these volumes instead, as WebDataset writes them: `train-{000000..000146}.tar`. */
  readonly shardNames?: string | undefined;
  /** A file that lists paths in the image, one a line: their files stand first in the volumes, in this order. Default: the order of the index. */
  readonly order?: string | Buffer | undefined;
  /** Paths in `order` end in a NUL instead. */
  readonly orderNull?: boolean | undefined;
  /** Keeps files of one WebDataset sample (names of one directory that are equal up to the first dot) together, and in one volume. */
  readonly samples?: boolean | undefined;
  /** Stores files of equal content once. In the image each stays a file of its own; tar extracts them as hard links. */
  readonly dedupe?: boolean | undefined;
}

/** A volume has at least a head and a tail. */
const leastVolumeSize = 65_536;

export interface PackSummary {
  /** Path of the index. */
  readonly image: Buffer;
  readonly entries: number;
  /** Bytes of files' content, holes included; a file with several names counts once. */
  readonly bytes: number;
  /** The volumes beside the index, with their lengths, in their order. */
  readonly volumes: readonly { readonly name: Buffer; readonly length: number }[];
  /** Of all volumes together. */
  readonly volumeLength: number;
  /** Bytes of files that are not stored, because another one has the same content. */
  readonly dedupedBytes: number;
  readonly indexLength: number;
  /** 32 hexadecimal digits; equal for equal trees. */
  readonly id: string;
  /** Sockets, which no image holds; paths as the sources name them. */
  readonly skipped: readonly EntryProblem[];
  /** Entries, by their path in the image, that are longer than a volume was to be: each is alone in one that is. */
  readonly oversized: readonly EntryProblem[];
  /** Paths in `order` that no file of the image has: the first ones, and how many there are. */
  readonly strays: { readonly first: readonly Buffer[]; readonly count: number };
}

/**
 * Packs trees into the image whose index is `output` (`NAME.shoal`; the volume `NAME.tar`, or several, lie beside it). One directory: its contents are the
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
  const trees = sources.map((source) => Buffer.from(source));
  const paths = outputPaths(Buffer.from(output));
  const stored = packMetadata(metadata, trees, provenance);
  const naming = volumeNaming(paths, options);
  const layout = planOptions(options);
  const addon = loadAddon();
  const firstOutputs = [paths.index, volumeBeside(paths, volumeName(naming, 0))];
  await checkRequest(trees, paths, firstOutputs);
  if (layout.orderFile !== undefined) await checkReadable(layout.orderFile);

  const work = await claimWorkDirectory(paths);
  try {
    await checkFree(firstOutputs, force);
    const walked = await runJob((counters) => addon.walk(trees, jobs, counters), options);
    if (options.dedupe === true)
      await runJob((counters) => addon.findCopies(walked.catalogue, jobs, counters), options);
    const plan = await runJob(() => addon.planVolumes(walked.catalogue, layout, jobs));
    const names = volumeNames(naming, plan.volumeLengths.length);
    const furtherOutputs = names.slice(1).map((name) => volumeBeside(paths, name));
    await checkNoSource(trees, furtherOutputs);
    await checkFree(furtherOutputs, force);
    await writeVolumes(walked, names, work, jobs, options);
    const index = await buildIndex(walked.catalogue, names, stored, work, jobs);
    await readBack(work, walked.entries, jobs, options);
    if (options.signal?.aborted) {
      throw new ShoalError('cancelled', 'cancelled before it was done', { cause: options.signal.reason });
    }
    await work.checkOwn();
    await publishImage(work, paths, naming, names.length, force);
    return {
      image: paths.index,
      entries: walked.entries,
      bytes: walked.bytes,
      ...volumeFields(names, plan),
      dedupedBytes: plan.copiedBytes,
      indexLength: index.length,
      id: index.id.toString('hex'),
      skipped: entryProblems(walked.skipped),
      oversized: entryProblems(plan.oversized),
      strays: { first: plan.strays, count: plan.strayCount },
    };
  } catch (error) {
    throw work.named(error);
  } finally {
    await work.release();
  }
}

function volumeNaming(paths: OutputPaths, { volumeSize, shardNames }: PackOptions): VolumeNaming {
  if (shardNames !== undefined && volumeSize === undefined) {
    throw new ShoalError('usage', 'expected the size of a volume with names for several, found none; give both');
  }
  const shards = shardNames === undefined ? undefined : parseBraceNames(shardNames);
  return { stem: paths.stem, numbered: volumeSize !== undefined, shards };
}

function planOptions({ volumeSize, samples, order, orderNull, dedupe }: PackOptions): NativePlanOptions {
  if (samples === true && dedupe === true) {
    throw new ShoalError(
      'usage',
      'expected either samples or dedupe: WebDataset passes over hard links, as which copies stand in a volume, and samples would lack files',
    );
  }
  if (volumeSize !== undefined && !(Number.isSafeInteger(volumeSize) && volumeSize >= leastVolumeSize)) {
    throw new ShoalError('usage', `expected a volume size from ${leastVolumeSize} bytes on, found ${volumeSize}`);
  }
  return {
    volumeSize: volumeSize ?? 0,
    samples,
    orderFile: order === undefined ? undefined : Buffer.from(order),
    orderNull,
  };
}

async function writeVolumes(
  walked: WalkResult,
  names: readonly Buffer[],
  work: WorkDirectory,
  jobs: number,
  options: JobOptions,
): Promise<void> {
  // Also where the walk has met unreadable entries: writing finds the others, so that all are told at once.
  const written = await runJob(
    (counters) => loadAddon().writeVolumes(walked.catalogue, names.map(work.volume), jobs, counters),
    options,
  );
  throwProblems([...walked.unreadable, ...written.unreadable, ...written.changed]);
}

function volumeFields(names: readonly Buffer[], plan: PlanResult): Pick<PackSummary, 'volumes' | 'volumeLength'> {
  const volumes = names.map((name, row) => ({ name, length: plan.volumeLengths[row] ?? 0 }));
  return { volumes, volumeLength: volumes.reduce((sum, { length }) => sum + length, 0) };
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
    { path: showBytes(work.index) },
  );
}
