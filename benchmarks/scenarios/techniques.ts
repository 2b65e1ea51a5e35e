import type { ClientResult } from '../clients.ts';
import { shoal, shoalMountedWith, withUring } from '../contenders/shoal.ts';
import type { Scenario, Trial } from '../scenario.ts';
import { flat, large, small, synthetic } from './data.ts';
import {
  askAtRandom,
  findAll,
  freshMount,
  megabytesPerSecond,
  onFreshMount,
  perSecond,
  readLarge,
} from './fresh-mount.ts';

/** Work of one trial at `root`. */
type Measure = (root: string, trial: Trial) => ClientResult;

const read: Measure = (root, trial) => askAtRandom(root, trial, { mode: 'read' });
const read4: Measure = (root, trial) => askAtRandom(root, trial, { mode: 'read', threads: 4 });
const stat: Measure = (root, trial) => askAtRandom(root, trial, { mode: 'stat' });
const stat4: Measure = (root, trial) => askAtRandom(root, trial, { mode: 'stat', threads: 4 });
const statTwice: Measure = (root, trial) => askAtRandom(root, trial, { mode: 'stat', rounds: 2 });
const missTwice: Measure = (root, trial) => askAtRandom(root, trial, { mode: 'missing', rounds: 2 });
const followTwice: Measure = (root, trial) => askAtRandom(root, trial, { mode: 'follow', rounds: 2 });
const sequential: Measure = (root, trial) => readLarge(root, trial, 'sequential');
const direct: Measure = (root, trial) => readLarge(root, trial, 'direct');

const manyDirectories = synthetic({ files: 40_000, perDirectory: 4 });
const links = synthetic({ files: 20_000, perDirectory: 500, links: true });

/** Shoal as it is against Shoal without one technique, or with one that it does without, at the work where that should matter most. */
export const techniqueScenarios: readonly Scenario[] = [
  rate('skip_open', 'skip_open=no', 'open+read+close, random order, 1 thread', read),
  rate('skip_opendir', 'skip_opendir=no', 'find, 4 files in a directory', findAll, manyDirectories),
  rate('readdirplus', 'readdirplus=no', 'find with stat, whole tree', findAll),
  rate('timeouts', 'entry_timeout=0,attr_timeout=0', 'stat, each file twice', statTwice),
  rate('negative_timeout', 'negative_timeout=0', 'stat of missing names, each twice', missTwice),
  rate('cache_symlinks', 'cache_symlinks=no', 'stat through links, each twice', followTwice, links),
  rate('parallel_dirops', 'parallel_dirops=no', 'stat in one directory, 4 threads', stat4, flat),
  throughput('max_read', 'max_read=128K', 'sequential read of one large file', sequential),
  throughput('max_read-direct', 'max_read=128K', 'the same around the page cache, 1 MiB at a time', direct),
  rate('clone_fd', 'clone_fd=no', 'open+read+close, random order, 1 thread', read),
  rate('clone_fd4', 'clone_fd=no', 'open+read+close, random order, 4 threads', read4),
  rate('polling', 'polling=no', 'open+read+close, random order, 1 thread', read),
  rate('polling4', 'polling=no', 'open+read+close, random order, 4 threads', read4),
  rate('verify-random', 'verify=no', 'open+read+close, random order, 1 thread', read),
  throughput('verify-sequential', 'verify=no', 'sequential read of one large file', sequential),
  throughput('readahead', 'readahead=0', 'sequential read of one large file', sequential),
  {
    ...throughput('splice', 'verify=no,splice=yes', 'sequential read of one large file, not verified', sequential),
    contenders: [shoalMountedWith('verify=no,splice=yes'), { ...shoalMountedWith('verify=no'), name: shoal.name }],
  },
  overUring(rate('uring', 'uring=yes', 'open+read+close, random order, 1 thread', read)),
  overUring(rate('uring4', 'uring=yes', 'open+read+close, random order, 4 threads', read4)),
  overUring(rate('uring-stat', 'uring=yes', 'stat, random order, 1 thread', stat)),
];

function overUring(scenario: Scenario): Scenario {
  return { ...scenario, contenders: scenario.contenders.map(withUring) };
}

function rate(name: string, off: string, title: string, measure: Measure, data = small): Scenario {
  return technique(name, off, title, 'files/s', data, (root, trial) => perSecond(measure(root, trial)));
}

function throughput(name: string, off: string, title: string, measure: Measure): Scenario {
  return technique(name, off, title, 'MB/s', large, (root, trial) => megabytesPerSecond(measure(root, trial)));
}

function technique(
  name: string,
  off: string,
  title: string,
  unit: 'files/s' | 'MB/s',
  data: Scenario['data'],
  figure: (root: string, trial: Trial) => number,
): Scenario {
  return {
    name,
    title,
    conditions: freshMount,
    unit,
    better: 'higher',
    contenders: [shoalMountedWith(off), shoal],
    unavailable: () => undefined,
    data,
    run: (trial) => onFreshMount(trial, ({ root }) => figure(root, trial)),
  };
}
