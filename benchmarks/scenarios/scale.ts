import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readClient } from '../clients.ts';
import { shoal, shoalBut } from '../contenders/shoal.ts';
import { squashfuse } from '../contenders/squashfs.ts';
import { privateMemory } from '../process-facts.ts';
import { isInstalled, runCommand } from '../run-command.ts';
import type { Scenario, Trial } from '../scenario.ts';
import { flat, huge, large, small, synthetic } from './data.ts';
import { askAtRandom, exactly, freshMount, onFreshMount, perSecond } from './fresh-mount.ts';
import { untilRootIsRead } from './mounted.ts';
import { noRoom } from './room.ts';

const inDirectoriesOf500 = shoalBut('500 files in a directory');
const readers4 = shoalBut('4 readers');
const readers = 64;
const thousand = shoalBut('a thousand files');
const hundredThousand = shoalBut('a hundred thousand files');

export const scaleScenarios: readonly Scenario[] = [
  {
    name: 'flat',
    title: 'stat, random order, all files in one directory',
    conditions: `${freshMount}, but for those of directories`,
    unit: 'files/s',
    better: 'higher',
    contenders: [inDirectoriesOf500, shoal],
    unavailable: () => undefined,
    data: (sizes, places, contender) =>
      contender === shoal
        ? flat(sizes, places, contender)
        : synthetic({ files: sizes.flat, perDirectory: 500 })(sizes, places, contender),
    run: statRate,
  },
  {
    name: 'crowd',
    title: `open+read+close, random order, ${readers} processes`,
    conditions: `${freshMount}; files drawn at random, ${readers} processes and 4 read as many in all`,
    unit: 'files/s',
    better: 'higher',
    contenders: [squashfuse, readers4, shoal],
    trials: 3,
    unavailable: () => undefined,
    data: small,
    run: (trial) =>
      onFreshMount(trial, ({ root }) => {
        const processes = trial.contender === readers4 ? 4 : readers;
        const total = (trial.operations / 2) * readers;
        const numbers = [processes, total / processes, trial.seed].map(String);
        return perSecond(exactly(total, readClient('crowd', root, trial.dataSet.paths, ...numbers)));
      }),
  },
  {
    name: 'fio',
    title: 'fio, random reads of 64 KiB around the page cache, 4 jobs',
    conditions: freshMount,
    unit: 'MB/s',
    better: 'higher',
    contenders: [squashfuse, shoal],
    unavailable: () => (isInstalled('fio') ? undefined : 'fio is not installed'),
    data: large,
    run: (trial) => onFreshMount(trial, ({ root }) => fioThroughput(join(root, 'large.bin'), trial)),
  },
];

export const hugeScenarios: readonly Scenario[] = [
  {
    ...ofHuge('huge-mount', 'mount until the root is read, huge image', 'page cache warm', thousand),
    unit: 'ms',
    better: 'lower',
    run: untilRootIsRead,
  },
  {
    ...ofHuge(
      'huge-stat',
      'stat, random order, huge image',
      `${freshMount}, but for those of directories`,
      hundredThousand,
    ),
    unit: 'files/s',
    better: 'higher',
    run: statRate,
  },
  {
    ...ofHuge('huge-memory', 'private memory of the server after that', freshMount, hundredThousand),
    unit: 'MiB',
    better: 'lower',
    run: (trial) =>
      onFreshMount(trial, ({ root, server }) => {
        askAtRandom(root, trial, { mode: 'stat' });
        return privateMemory(server);
      }),
  },
];

/** Directories are looked up before, so that a stat is one lookup, whatever the number of directories. */
function statRate(trial: Trial): number {
  return onFreshMount(trial, ({ root }) => {
    const paths = readFileSync(trial.dataSet.paths, 'latin1').split('\0').slice(0, -1);
    const directories = [...new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/'))))];
    const list = join(trial.scratch, 'directories');
    writeFileSync(list, directories.map((path) => `${path}\0`).join(''));
    readClient('stat', root, list, '1', String(directories.length), '1');
    return perSecond(askAtRandom(root, trial, { mode: 'stat' }));
  });
}

/** MB/s of four jobs that read random blocks of a file, as many bytes in all as it has. */
function fioThroughput(file: string, { dataSet, seed }: Trial): number {
  const report = runCommand([
    'fio',
    ...['--name=randread', `--filename=${file}`, '--readonly', '--rw=randread', '--bs=64k', '--direct=1'],
    ...['--ioengine=psync', '--thread', '--numjobs=4', `--io_size=${dataSet.bytes / 4}`, `--randseed=${seed}`],
    ...['--group_reporting', '--output-format=json'],
  ]);
  const [job] = JSON.parse(report).jobs;
  if (job.error !== 0 || job.read.io_bytes !== dataSet.bytes)
    throw new Error(
      `expected ${dataSet.bytes} bytes read without error, found ${job.read.io_bytes}, error ${job.error}`,
    );
  return job.read.bw_bytes / 1e6;
}

function ofHuge(name: string, title: string, conditions: string, than: typeof shoal) {
  const sparse = synthetic({ files: than === thousand ? 1_000 : 100_000, perDirectory: 500 });
  const data: Scenario['data'] = (sizes, places, contender) =>
    (contender === shoal ? huge : sparse)(sizes, places, contender);
  const contenders = [than, shoal];
  // For the tar, 512 bytes a file, and its index.
  const unavailable: Scenario['unavailable'] = (sizes, { run }) => noRoom(run, 600 * sizes.huge);
  return { name, title, conditions, contenders, data, unavailable };
}
