import type { Command } from 'commander';
import type { Layout } from '../index.ts';
import { parseSizeOf } from './option-values.ts';
import { argumentBytes } from './raw-arguments.ts';

/** Options that say how entries are put into volumes. `--null` is one of the selection's. */
export interface LayoutOptions {
  readonly volumeSize?: number;
  readonly shardNames?: string;
  readonly order?: string;
  readonly null?: true;
  readonly samples?: true;
  readonly dedupe?: true;
  readonly compress?: string;
}

export function addLayoutOptions(command: Command): Command {
  return command
    .option(
      '--volume-size <size>',
      'split into volumes NAME-00000.tar, … of at most this size',
      parseSizeOf('--volume-size'),
    )
    .option('--shard-names <pattern>', 'names for these volumes: train-{000000..000146}.tar')
    .option('--samples', 'keep the files of a WebDataset sample together, and in one volume')
    .option('--order <path|file>', 'by path (default), or first those that a file lists, one path a line', 'path')
    .option(
      '--compress <method>',
      'none, zstd[:LEVEL], or auto: zstd if a sample of the content says that it pays',
      'none',
    )
    .option('--dedupe', 'store files of equal content once; tar extracts them as hard links');
}

export function readLayout(options: LayoutOptions): Layout {
  return {
    ...(options.volumeSize !== undefined && { volumeSize: options.volumeSize }),
    ...(options.shardNames !== undefined && { shardNames: options.shardNames }),
    samples: options.samples === true,
    dedupe: options.dedupe === true,
    ...(options.order !== undefined && options.order !== 'path' && { order: argumentBytes(options.order) }),
    ...(options.compress !== undefined && { compress: options.compress }),
    orderNull: options.null === true,
  };
}
