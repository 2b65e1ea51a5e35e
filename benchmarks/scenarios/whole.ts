import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { contenders } from '../contenders/all.ts';
import { shoal } from '../contenders/shoal.ts';
import { settle, warm } from '../page-cache.ts';
import { isInstalled, runCommand, timeCommand } from '../run-command.ts';
import type { Scenario, Trial } from '../scenario.ts';
import { small } from './data.ts';
import { warmTree } from './warm-tree.ts';

const always = () => undefined;

/** Work over a whole tree or archive, without a mount. */
export const wholeScenarios: readonly Scenario[] = [
  {
    name: 'index',
    title: 'read the names of a tar (Shoal: write its index)',
    conditions: 'a tar by GNU tar, page cache warm',
    unit: 'entries/s',
    better: 'higher',
    contenders: contenders.filter(({ readTar }) => readTar !== undefined),
    unavailable: always,
    data: small,
    run: ({ contender, scratch, dataSet, ...trial }) => {
      const tar = trial.tar();
      warm(tar);
      settle();
      const time = timeCommand(contender.readTar?.(tar, join(scratch, 'index.shoal')) ?? ['false']);
      return (dataSet.files + dataSet.directories + 1) / time;
    },
  },
  {
    ...seconds('extract', 'extract all', 'page cache warm, not synced', 'extract', ({ contender, packed, scratch }) => {
      warm(packed.archive);
      const into = join(scratch, 'extracted');
      mkdirSync(into);
      settle();
      return timeCommand(contender.extract?.(packed, into) ?? ['false']);
    }),
    keepsScratch: true,
  },
  seconds('verify', 'verify (GNU tar: compare with the tree)', 'page cache warm', 'verify', (trial) => {
    warmTree(trial);
    warm(trial.packed.archive);
    settle();
    return timeCommand(trial.contender.verify?.(trial.packed) ?? ['false']);
  }),
  size('size', 'index', always, (index) => statSync(index).size),
  size(
    'size-zstd',
    'index, as zstd -19 makes it for transfer',
    () => (isInstalled('zstd') ? undefined : 'zstd is not installed'),
    (index, scratch) => {
      const compressed = join(scratch, 'index.zst');
      runCommand(['zstd', '-19', '--quiet', index, '-o', compressed]);
      return statSync(compressed).size;
    },
  ),
  {
    name: 'start-up',
    title: 'start-up of the command',
    conditions: 'page cache warm',
    unit: 'ms',
    better: 'lower',
    contenders: contenders.filter(({ start }) => start !== undefined),
    unavailable: always,
    data: small,
    run: ({ contender }) => {
      const times = Array.from({ length: 11 }, () => timeCommand(contender.start?.() ?? ['false']) * 1000);
      return times.sort((a, b) => a - b)[5] as number;
    },
  },
];

function seconds(
  name: string,
  title: string,
  conditions: string,
  needs: 'extract' | 'verify',
  run: (trial: Trial) => number,
): Scenario {
  const able = contenders.filter((contender) => contender[needs] !== undefined);
  const about = { name, title, conditions, unit: 's', better: 'lower' } as const;
  return { ...about, contenders: able, unavailable: always, data: small, run };
}

function size(
  name: string,
  title: string,
  unavailable: () => string | undefined,
  measure: (index: string, scratch: string) => number,
): Scenario {
  return {
    name,
    title,
    conditions: 'names of 20 bytes',
    unit: 'bytes/entry',
    better: 'lower',
    contenders: [shoal],
    unavailable,
    data: small,
    run: ({ packed, scratch, dataSet }) => measure(packed.archive, scratch) / (dataSet.files + dataSet.directories + 1),
  };
}
