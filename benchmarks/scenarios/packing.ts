import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type PeakMemory, peakMemory } from '../clients.ts';
import type { Contender } from '../contender.ts';
import { mksquashfsCompressed, shoalCompressed } from '../contenders/compressed.ts';
import { shoal } from '../contenders/shoal.ts';
import { mksquashfs } from '../contenders/squashfs.ts';
import { gnuTar, gnuTarSynced } from '../contenders/tar.ts';
import { settle } from '../page-cache.ts';
import { timeCommand } from '../run-command.ts';
import type { Scenario, Trial } from '../scenario.ts';
import { counted, many, small, text } from './data.ts';
import { withMount } from './fresh-mount.ts';
import { noRoom } from './room.ts';
import { warmTree } from './warm-tree.ts';

const always = () => undefined;

/** Shoal does more than is asked of the others, and is not asked to do less. */
const asAlways =
  'page cache and dentries warm, all processors; Shoal syncs and reads back all that it wrote, the others do neither unless their row says so';

const uncompressed = [gnuTar, gnuTarSynced, mksquashfs, shoal];

export const packingScenarios: readonly Scenario[] = [
  packing('pack', 'pack the tree', small, uncompressed),
  packing('pack-zstd', 'pack the tree, zstd level 3', small, compressed(3)),
  packing('pack-zstd-text', 'pack a tree of text, zstd level 3', text, compressed(3)),
  { ...packing('pack-zstd15-text', 'pack a tree of text, zstd level 15', text, compressed(15)), trials: 2 },
];

export const manyFilesScenarios: readonly Scenario[] = [
  {
    ...packing('pack-many', 'pack a tree of many files', many, uncompressed),
    trials: 3,
    unavailable: ({ many }, { work }) => noRoom(work, many * 8192),
  },
  memoryOfPacking(
    'pack-memory',
    'private memory of packing, for each entry',
    'private',
    'the most that was resident in the process (RssAnon and RssShmem of proc(5) status, every 5 ms), without pages of files that it mapped',
  ),
  memoryOfPacking(
    'pack-resident',
    'memory of packing, for each entry, with the mapped index',
    'peak',
    'the most that was resident in the process (ru_maxrss), pages of the index that it mapped to read it back among it',
  ),
];

function packing(name: string, title: string, data: Scenario['data'], contenders: readonly Contender[]): Scenario {
  const about = { name, title, conditions: asAlways, unit: 's', better: 'lower', packs: true } as const;
  return { ...about, contenders, unavailable: always, data, run: secondsToPack };
}

function compressed(level: number): Contender[] {
  return [mksquashfsCompressed({ level }), shoalCompressed({ level })];
}

function secondsToPack(trial: Trial): number {
  warmTree(trial);
  settle();
  return timeCommand(trial.contender.pack?.(trial.packed) ?? ['false']);
}

function memoryOfPacking(name: string, title: string, kind: keyof PeakMemory, what: string): Scenario {
  const conditions = `${what}; less that of packing an empty directory. The tree is a mount of Shoal, whose server is a process of its own`;
  return {
    ...{ name, title, conditions, unit: 'bytes/entry', better: 'lower', contenders: [shoal], trials: 1 },
    unavailable: ({ counted }, { run }) => noRoom(run, counted * 2200),
    data: counted,
    run: (trial) => bytesForEntry(trial, kind),
  };
}

function bytesForEntry(trial: Trial, kind: keyof PeakMemory): number {
  const { contender, dataSet, scratch } = trial;
  const memoryFor = (source: string, archive: string) =>
    peakMemory(contender.pack?.({ source, archive: join(scratch, archive) }) ?? ['false'])[kind];
  const empty = join(scratch, 'empty');
  mkdirSync(empty);
  const least = memoryFor(empty, 'empty.shoal');
  const most = withMount(trial, ({ root }) => memoryFor(root, 'counted.shoal'));
  return (most - least) / (dataSet.files + dataSet.directories + 1);
}
