import { unlink } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { IndexEncoder } from '../format/index-encoder.ts';
import type { Metadata } from '../format/metadata.ts';
import { IndexReader } from '../image/index-reader.ts';
import { volumePath } from '../image/open-volume.ts';
import { publishFile, temporaryBeside, writeNewFile } from '../io/atomic-file.ts';
import { catalogueColumns } from '../native/catalogue-columns.ts';
import { loadAddon } from '../native/load.ts';
import { type JobOptions, runJob } from '../native/run-job.ts';
import { checkDirectory, checkFree, checkNoSource } from './check-request.ts';
import { type OutputPaths, outputPaths } from './output-paths.ts';
import { isReservedKey, packMetadata } from './pack-metadata.ts';
import { type PartVolumes, partVolumes } from './part-volumes.ts';

export interface MergeOptions extends JobOptions {
  /** Replaces an index that exists, but none of the images that are merged. */
  readonly force?: boolean | undefined;
  /** Free keys and values to store in the image, besides those that all the images have alike. */
  readonly metadata?: Metadata | undefined;
  /** Paths within the images that the result lacks, with all that is below them. */
  readonly remove?: readonly (string | Buffer)[] | undefined;
}

export interface MergeSummary {
  /** Path of the index. */
  readonly image: Buffer;
  readonly entries: number;
  /** Bytes of files' content, holes included; a file with several names counts once. */
  readonly bytes: number;
  /** Number of the volumes that hold content of the result. */
  readonly volumes: number;
  readonly indexLength: number;
  /** 32 hexadecimal digits. */
  readonly id: string;
}

/** A part that is open while it is merged. */
interface OpenedPart {
  readonly path: Buffer;
  readonly index: IndexReader;
}

/**
 * Makes one index, `output` (`NAME.shoal`), over the trees of several images. Their volumes stay where they are, no byte of them is copied, and the result needs them there.
 * Later images win: of entries with the same path that of the last one is in the result; directories are merged, as a mount of several images shows them.
 *
 * The index is written aside, checked as a whole and then renamed, so that it is there complete or not at all.
 *
 * @throws ShoalError `usage`, `missing`, `exists`, `permission` for mistakes in the request (a path to remove that is not there among them); what is wrong with an
 * image or its volumes; `unsupported` for more than 65 534 volumes; `cancelled`; `io`.
 *
 * @example
 * ```ts
 * await packTree(['new'], 'delta.shoal');
 * await mergeImages(['base.shoal', 'delta.shoal'], 'all.shoal', { remove: ['old/file'] });
 * ```
 */
export async function mergeImages(
  parts: readonly (string | Buffer)[],
  output: string | Buffer,
  options: MergeOptions = {},
): Promise<MergeSummary> {
  const { force = false, metadata = {}, remove = [] } = options;
  const indexes = parts.map((part) => Buffer.from(part));
  if (indexes.length === 0) throw new ShoalError('usage', 'expected at least one image to merge, found none');
  const paths = outputPaths(Buffer.from(output));
  await checkDirectory(paths.directory);
  await checkNoSource(indexes, [paths.index]);
  await checkFree([paths.index], force);

  return await joinImages(indexes, paths, {
    ...options,
    force,
    remove: remove.map(toBytes),
    keepsVolumes: false,
    temporary: temporaryBeside(paths.index),
    metadata: (common) => packMetadata({ ...common, ...metadata }, indexes, false),
  });
}

export interface JoinOptions extends JobOptions {
  readonly force: boolean;
  readonly remove: readonly Buffer[];
  /** Whether the result has those volumes, too, of which it needs nothing. */
  readonly keepsVolumes: boolean;
  /** Where the index is written before it gets its name; on the same filesystem. */
  readonly temporary: Buffer;
  /** What is stored, where `common` is what the images have alike. */
  readonly metadata: (common: Metadata) => Metadata;
}

/** {@link mergeImages}, where what was asked for is in order. */
export async function joinImages(
  indexes: readonly Buffer[],
  paths: OutputPaths,
  options: JoinOptions,
): Promise<MergeSummary> {
  const opened: OpenedPart[] = [];
  try {
    for (const path of indexes) opened.push({ path, index: IndexReader.open(path) });
    const volumes = partVolumes(opened, paths.directory);
    const files = volumes.all.map(({ name }) => volumePath(paths.index, name));
    await checkNoSource(files, [paths.index]);
    return await writeMerged(opened, volumes, paths.index, options);
  } finally {
    for (const { index } of opened) index.close();
  }
}

async function writeMerged(
  opened: readonly OpenedPart[],
  { all, rows }: PartVolumes,
  image: Buffer,
  options: JoinOptions,
): Promise<MergeSummary> {
  const addon = loadAddon();
  const parts = opened.map(({ path }, part) => ({ index: path, volumes: rows[part] as Uint32Array }));
  const merged = await runJob(
    (counters) => addon.mergeImages(parts, options.remove, options.keepsVolumes, counters),
    options,
  );
  throwMissing(merged.missing);
  const used = Array.from(merged.volumes, (number) => all[number]);
  const metadata = options.metadata(commonMetadata(opened.map(({ index }) => index.metadata())));
  const { temporary } = options;
  const encoder = new IndexEncoder();
  await writeNewFile(temporary, async (file) => {
    await file.append(encoder.catalogue(catalogueColumns(merged.catalogue)));
    await file.append(encoder.end(used, metadata));
    await file.replaceHead(encoder.header());
  });
  try {
    await readBack(temporary, options);
    await publishFile(temporary, image, options.force);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  const { entries, bytes } = merged;
  const { length, id } = encoder;
  return { image, entries, bytes, volumes: used.length, indexLength: length, id: id.toString('hex') };
}

/** Nothing is published of which not every answer was asked for. Volumes were checked as those of the parts. */
async function readBack(index: Buffer, options: JobOptions): Promise<void> {
  const problems = await runJob((counters) => loadAddon().checkIndex(index, availableParallelism(), counters), options);
  const [first] = problems;
  if (first === undefined) return;
  const found = `${showBytes(first.path)}: ${first.message}`;
  const message = `expected to read back the index as written, found ${found}. No index was made; check the storage and merge again`;
  throw new ShoalError('io', message, { path: showBytes(index) });
}

/** What every image says alike, but for what is Shoal's own. */
function commonMetadata(all: readonly Metadata[]): Metadata {
  const [first = {}, ...others] = all;
  return Object.fromEntries(
    Object.entries(first).filter(
      ([key, value]) =>
        !isReservedKey(key) && others.every((other) => Object.hasOwn(other, key) && other[key] === value),
    ),
  );
}

function throwMissing(missing: readonly Buffer[]): void {
  const [first] = missing;
  if (first === undefined) return;
  const problems = missing.map((path) => ({
    code: 'missing' as const,
    path: showBytes(path),
    message: 'no image has it',
  }));
  const count = missing.length === 1 ? 'one that is not there' : `${missing.length} that are not there`;
  throw new ShoalError('missing', `expected paths of the images to remove, found ${count}. No index was made`, {
    path: showBytes(first),
    problems,
  });
}

function toBytes(path: string | Buffer): Buffer {
  return Buffer.from(path);
}
