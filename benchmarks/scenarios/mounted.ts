import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mounted } from '../contender.ts';
import { dropDentries, dropEverything, isRoot, warm } from '../page-cache.ts';
import { type ClientResult, readClient } from '../read-client.ts';
import type { Scenario, Trial } from '../scenario.ts';

const conditions = 'fresh mount, page cache warm, dentries dropped';
const always = () => undefined;

/** Everything that programs do with a mounted tree. */
export const mountedScenarios: readonly Scenario[] = [
  {
    name: 'mount',
    title: 'mount until the root is read',
    conditions: 'page cache warm',
    unit: 'ms',
    better: 'lower',
    data: 'small',
    unavailable: always,
    suits: (contender) => contender.mount !== undefined && contender.kind !== 'none',
    run: (trial) => {
      const started = process.hrtime.bigint();
      return withMount(trial, ({ root }) => {
        readdirSync(root);
        return Number(process.hrtime.bigint() - started) / 1e6;
      });
    },
  },
  rate('find', 'find with stat, whole tree', (root, { dataSet }) =>
    exactly(dataSet.files + dataSet.directories, readClient('find', root)),
  ),
  rate('stat', 'stat, random order, 1 thread', (root, trial) => random('stat', root, trial, 1)),
  rate('read', 'open+read+close, random order, 1 thread', (root, trial) => random('read', root, trial, 1)),
  rate('read4', 'open+read+close, random order, 4 threads', (root, trial) => random('read', root, trial, 4)),
  sequential('sequential', 'sequential read of one large file', conditions, always, (trial) => {
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
    conditions,
    unit: 'MiB',
    better: 'lower',
    data: 'small',
    unavailable: always,
    suits: ({ kind, name }) => kind === 'shoal' || name === 'squashfuse_ll',
    run: (trial) =>
      withMount(trial, ({ root, server }) => {
        readClient('find', root);
        random('read', root, trial, 4);
        return privateMemory(server);
      }),
  },
];

function rate(name: string, title: string, measure: (root: string, trial: Trial) => ClientResult): Scenario {
  return {
    name,
    title,
    conditions,
    unit: 'files/s',
    better: 'higher',
    data: 'small',
    unavailable: always,
    suits: (contender) => contender.mount !== undefined,
    run: (trial) => {
      warmContent(trial);
      return withMount(trial, ({ root }) => {
        if (dropDentries() && trial.contender.kind !== 'none') warmContent(trial);
        const { operations, seconds } = measure(root, trial);
        return operations / seconds;
      });
    },
  };
}

function sequential(
  name: string,
  title: string,
  stated: string,
  unavailable: () => string | undefined,
  prepare: (trial: Trial) => void,
): Scenario {
  return {
    name,
    title,
    conditions: stated,
    unit: 'MB/s',
    better: 'higher',
    data: 'large',
    unavailable,
    suits: (contender) => contender.mount !== undefined,
    run: (trial) => {
      warmContent(trial);
      return withMount(trial, ({ root }) => {
        prepare(trial);
        const { bytes, seconds } = readClient('sequential', join(root, 'large.bin'));
        if (bytes !== trial.dataSet.bytes) throw new Error(`expected ${trial.dataSet.bytes} bytes, read ${bytes}`);
        return bytes / seconds / 1e6;
      });
    },
  };
}

function withMount<Result>(trial: Trial, use: (mounted: Mounted) => Result): Result {
  const at = join(trial.scratch, 'mount');
  mkdirSync(at);
  const mounted = (trial.contender.mount as NonNullable<typeof trial.contender.mount>)(trial.packed, at);
  try {
    return use(mounted);
  } finally {
    mounted.unmount();
  }
}

/** Brings what the contender serves from into the page cache: its archive, or the files of the tree. */
function warmContent({ contender, packed, dataSet }: Trial): void {
  if (contender.kind === 'none') {
    readClient('read', packed.tree, dataSet.paths, '1', String(dataSet.files), '1');
    return;
  }
  warm(packed.archive);
  if (contender.kind === 'shoal') warm(packed.archive.replace(/\.shoal$/, '.tar'));
}

function random(
  mode: 'stat' | 'read',
  root: string,
  { dataSet, seed, operations }: Trial,
  threads: number,
): ClientResult {
  const count = Math.min(operations, dataSet.files);
  return exactly(count, readClient(mode, root, dataSet.paths, String(threads), String(count), String(seed)));
}

/** A rate over fewer operations than were asked for is none. */
function exactly(operations: number, result: ClientResult): ClientResult {
  if (result.operations !== operations)
    throw new Error(`expected ${operations} operations, counted ${result.operations}`);
  return result;
}

/** MiB of memory that only the process has. */
function privateMemory(process: number | undefined): number {
  const rollup = readFileSync(`/proc/${process}/smaps_rollup`, 'utf8');
  const kilobytes = [...rollup.matchAll(/^Private_\w+: +(\d+) kB/gm)];
  return kilobytes.reduce((sum, match) => sum + Number(match[1]), 0) / 1024;
}
