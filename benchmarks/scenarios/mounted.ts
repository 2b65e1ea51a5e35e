import { readdirSync } from 'node:fs';
import type { ClientResult } from '../clients.ts';
import { contenders } from '../contenders/all.ts';
import { shoal } from '../contenders/shoal.ts';
import { squashfuse } from '../contenders/squashfs.ts';
import { dropDentries, dropEverything, isRoot } from '../page-cache.ts';
import { privateMemory } from '../process-facts.ts';
import type { Scenario, Trial } from '../scenario.ts';
import { large, small } from './data.ts';
import {
  askAtRandom,
  findAll,
  freshMount,
  megabytesPerSecond,
  onFreshMount,
  perSecond,
  readLarge,
  warmContent,
  withMount,
} from './fresh-mount.ts';

const always = () => undefined;
const mounting = contenders.filter(({ mount }) => mount !== undefined);

/** Everything that programs do with a mounted tree. */
export const mountedScenarios: readonly Scenario[] = [
  {
    name: 'mount',
    title: 'mount until the root is read',
    conditions: 'page cache warm',
    unit: 'ms',
    better: 'lower',
    contenders: mounting.filter(({ kind }) => kind !== 'none'),
    unavailable: always,
    data: small,
    run: untilRootIsRead,
  },
  rate('find', 'find with stat, whole tree', findAll),
  rate('stat', 'stat, random order, 1 thread', (root, trial) => askAtRandom(root, trial, { mode: 'stat' })),
  rate('read', 'open+read+close, random order, 1 thread', (root, trial) => askAtRandom(root, trial, { mode: 'read' })),
  rate('read4', 'open+read+close, random order, 4 threads', (root, trial) =>
    askAtRandom(root, trial, { mode: 'read', threads: 4 }),
  ),
  sequential('sequential', 'sequential read of one large file', freshMount, always, (trial) => {
    if (dropDentries()) warmContent(trial);
  }),
  sequential(
    'sequential-cold',
    'the same from storage',
    'fresh mount, all caches dropped',
    () => (isRoot ? undefined : 'dropping caches needs root'),
    () => dropEverything(),
  ),
  {
    name: 'memory',
    title: 'private memory of the server after find and random reads',
    conditions: freshMount,
    unit: 'MiB',
    better: 'lower',
    contenders: [squashfuse, shoal],
    unavailable: always,
    data: small,
    run: (trial) =>
      withMount(trial, ({ root, server }) => {
        findAll(root, trial);
        askAtRandom(root, trial, { mode: 'read', threads: 4 });
        return privateMemory(server);
      }),
  },
];

/** Milliseconds from the command to the names in the root. */
export function untilRootIsRead(trial: Trial): number {
  const started = process.hrtime.bigint();
  return withMount(trial, ({ root }) => {
    readdirSync(root);
    return Number(process.hrtime.bigint() - started) / 1e6;
  });
}

function rate(name: string, title: string, measure: (root: string, trial: Trial) => ClientResult): Scenario {
  return {
    name,
    title,
    conditions: freshMount,
    unit: 'files/s',
    better: 'higher',
    contenders: mounting,
    unavailable: always,
    data: small,
    run: (trial) => onFreshMount(trial, ({ root }) => perSecond(measure(root, trial))),
  };
}

function sequential(
  name: string,
  title: string,
  conditions: string,
  unavailable: () => string | undefined,
  prepare: (trial: Trial) => void,
): Scenario {
  return {
    name,
    title,
    conditions,
    unit: 'MB/s',
    better: 'higher',
    contenders: mounting,
    unavailable,
    data: large,
    run: (trial) => {
      warmContent(trial);
      return withMount(trial, ({ root }) => {
        prepare(trial);
        return megabytesPerSecond(readLarge(root, trial, 'sequential'));
      });
    },
  };
}
