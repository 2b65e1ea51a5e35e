import { parseBraceNames } from '../base/brace-names.ts';
import { ShoalError } from '../base/errors.ts';
import type { NativePlanOptions } from '../native/addon.ts';
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
}

/** A volume has at least a head and a tail. */
const leastVolumeSize = 65_536;

/** Throws `usage` for names that no volume can have. */
export function volumeNaming({ stem }: OutputPaths, { volumeSize, shardNames }: Layout): VolumeNaming {
  if (shardNames !== undefined && volumeSize === undefined) {
    throw new ShoalError('usage', 'expected the size of a volume with names for several, found none; give both');
  }
  const shards = shardNames === undefined ? undefined : parseBraceNames(shardNames);
  return { stem, numbered: volumeSize !== undefined, shards };
}

/** What the native planner is told. Throws `usage` for what contradicts itself. */
export function planOptions({ volumeSize, samples, order, orderNull, dedupe }: Layout): NativePlanOptions {
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
