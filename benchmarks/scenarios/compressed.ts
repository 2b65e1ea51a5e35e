import { existsSync, statSync } from 'node:fs';
import type { Contender } from '../contender.ts';
import {
  type Compression,
  mksquashfsCompressed,
  shoalCompressed,
  squashfuseCompressed,
} from '../contenders/compressed.ts';
import type { Scenario } from '../scenario.ts';
import { small, standing, text } from './data.ts';
import { askAtRandom, freshMount, onFreshMount, perSecond, volumesOf } from './fresh-mount.ts';

const always = () => undefined;

/** Images whose content is compressed, at the same level and in blocks of the same length: how large they are, and how fast small files are read from them. */
export const compressedScenarios: readonly Scenario[] = [
  ...[3, 15].flatMap((level) => [
    size(`size-zstd${level}`, 'image', small, { level, copies: 'once' }),
    size(`size-zstd${level}-text`, 'image of text', text, { level, copies: 'once' }),
    size(`size-zstd${level}-standing`, 'image of a real tree', standing, { level, copies: 'once' }),
    size(`size-zstd${level}-copies`, 'image of a real tree with copies', standing, { level, copies: 'each' }),
  ]),
  read('read-zstd', small, 1),
  read('read4-zstd', small, 4),
  read('read-zstd-text', text, 1),
  read('read4-zstd-text', text, 4),
];

function size(name: string, what: string, data: Scenario['data'], compression: Compression): Scenario {
  return {
    name,
    title: `${what}, zstd level ${compression.level}`,
    conditions: `128 KiB compressed at a time; ${inFull(compression)}; of Shoal index and volume`,
    unit: 'MB',
    better: 'lower',
    contenders: [mksquashfsCompressed(compression), shoalCompressed(compression)],
    trials: 1, // the same bytes each time
    unavailable: (sizes) =>
      data === standing && !existsSync(sizes.standing) ? `there is no ${sizes.standing}` : undefined,
    data,
    run: ({ packed }) => sizeOf(packed.archive) / 1e6,
  };
}

function inFull({ copies }: Compression): string {
  return copies === 'once'
    ? 'files of equal content are stored once (Shoal: --dedupe)'
    : 'files of equal content are stored each (mksquashfs: -no-duplicates)';
}

/** Of an archive with its volumes. */
function sizeOf(archive: string): number {
  return [archive, ...volumesOf(archive)].reduce((sum, path) => sum + statSync(path).size, 0);
}

function read(name: string, data: Scenario['data'], threads: number): Scenario {
  const of = data === text ? 'text' : 'incompressible files';
  const contenders: Contender[] = [squashfuseCompressed({ level: 3 }), shoalCompressed({ level: 3 })];
  return {
    name,
    title: `open+read+close, random order, ${threads === 1 ? '1 thread' : `${threads} threads`}, zstd image of ${of}`,
    conditions: `${freshMount}; zstd level 3, 128 KiB compressed at a time`,
    unit: 'files/s',
    better: 'higher',
    contenders,
    unavailable: always,
    data,
    run: (trial) => onFreshMount(trial, ({ root }) => perSecond(askAtRandom(root, trial, { mode: 'read', threads }))),
  };
}
