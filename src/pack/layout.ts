import { parseBraceNames } from '../base/brace-names.ts';
import { ShoalError } from '../base/errors.ts';
import type { NativeCatalogue } from '../native/catalogue.ts';
import { loadAddon } from '../native/load.ts';
import type { NativePlanOptions } from '../native/packing.ts';
import { type JobOptions, runJob } from '../native/run-job.ts';
import type { OutputPaths } from './output-paths.ts';
import type { VolumeNaming } from './volume-names.ts';

/** How entries are put into volumes. Without any of these: all into one, in the order of the index. */
export interface Layout {
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
  /** How volumes are compressed: `none` (default), `zstd` (level 3), `zstd:1` to `zstd:22`, or `auto`: with zstd, if a sample of the content says that it pays. */
  readonly compress?: string | undefined;
}

const defaultLevel = 3;
const maxLevel = 22;

/** A volume has at least a head and a tail. */
const leastVolumeSize = 65_536;

/** The layout alone of all options, with what is meant where nothing is said. */
export function layoutOf(layout: Layout): Layout {
  const { volumeSize = 0, shardNames, order, orderNull = false, samples = false, dedupe = false } = layout;
  const { compress = 'none' } = layout;
  return { volumeSize, shardNames, order: order && Buffer.from(order), orderNull, samples, dedupe, compress };
}

/** Throws `usage` for names that no volume can have. */
export function volumeNaming(
  { stem }: OutputPaths,
  { volumeSize, shardNames }: Layout,
  isCompressed: boolean,
): VolumeNaming {
  if (shardNames !== undefined && volumeSize === undefined) {
    throw new ShoalError('usage', 'expected the size of a volume with names for several, found none; give both');
  }
  const shards = shardNames === undefined ? undefined : parseBraceNames(shardNames);
  const ending = isCompressed ? '.tar.zst' : '.tar';
  if (shardNames !== undefined && !shardNames.endsWith(ending)) {
    throw new ShoalError('usage', `expected names of volumes that end in ${ending}, found "${shardNames}"`);
  }
  return { stem, numbered: volumeSize !== undefined, shards, ending };
}

/** {@link volumeNaming} for each way in which the volumes may turn out to be compressed. */
export function possibleNamings(paths: OutputPaths, layout: Layout): VolumeNaming[] {
  const level = compressionLevel(layout);
  const ways = level === 'auto' ? [false, true] : [level > 0];
  return ways.map((isCompressed) => volumeNaming(paths, layout, isCompressed));
}

/** What the native planner is told. Throws `usage` for what contradicts itself. */
export function planOptions(
  { volumeSize, samples, order, orderNull, dedupe }: Layout,
  level: number,
): NativePlanOptions {
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
    level,
    samples,
    orderFile: order === undefined ? undefined : Buffer.from(order),
    orderNull,
  };
}

/** The level of zstd that `compress` names, 0 for none; or `auto`. Throws `usage` for anything else. */
export function compressionLevel({ compress = 'none', shardNames }: Layout): number | 'auto' {
  if (compress === 'none') return 0;
  if (compress === 'auto') {
    if (shardNames === undefined) return 'auto';
    throw new ShoalError('usage', 'expected names of volumes without --compress auto, which decides how they end');
  }
  const [, digits] = /^zstd(?::(\d{1,2}))?$/.exec(compress) ?? [undefined, undefined];
  const level = digits === undefined ? defaultLevel : Number(digits);
  if (!compress.startsWith('zstd') || (digits === undefined && compress !== 'zstd') || level < 1 || level > maxLevel) {
    throw new ShoalError('usage', `expected none, auto, zstd, or zstd:1 to zstd:${maxLevel}, found "${compress}"`);
  }
  return level;
}

/** {@link compressionLevel}, where `auto` is decided by a sample of the walked content. */
export async function decideLevel(catalogue: NativeCatalogue, layout: Layout, options: JobOptions): Promise<number> {
  const level = compressionLevel(layout);
  if (level !== 'auto') return level;
  const pays = await runJob((counters) => loadAddon().sampleContent(catalogue, counters), options);
  return pays ? defaultLevel : 0;
}
