import { median } from '../result.ts';

/** What was seen of the server that is never killed. */
export interface Sample {
  /** MiB. */
  readonly memory: number;
  readonly descriptors: number;
}

/** What happened during a soak. */
export interface SoakFacts {
  readonly samples: readonly Sample[];
  /** Files and bytes that were read and compared. */
  files: number;
  bytes: number;
  /** Files with wrong bytes, and how the first one was wrong. */
  wrong: number;
  firstWrong: string;
  /** Files that could not be read though their server was not killed. */
  unread: number;
  firstUnread: string;
  finds: number;
  /** Listings that were not those of the tree. */
  wrongFinds: number;
  /** Times that the second mount was made and taken away; of these, with its server killed meanwhile. */
  cycles: number;
  repairs: number;
  killedReaders: number;
  /** Processes that were to end and did not: killed readers, servers of ended mounts. */
  stuck: number;
}

export interface Check {
  readonly what: string;
  readonly found: string;
  readonly holds: boolean;
}

/** MiB by which the median of the last quarter may be above that of the first: buffers of threads that were idle so far. A byte leaked with each request is more. */
const memoryBound = 4;

/** What must hold after a soak. */
export function judge(facts: SoakFacts): Check[] {
  const memory = quarters(facts.samples.map((sample) => sample.memory));
  const descriptors = quarters(facts.samples.map((sample) => sample.descriptors));
  return [
    none('wrong bytes', 'files', facts.wrong, facts.firstWrong),
    none('reads that failed', 'files', facts.unread, facts.firstUnread),
    none('wrong listings', 'listings', facts.wrongFinds),
    none('process in state D or otherwise stuck', 'processes', facts.stuck),
    {
      what: `memory flat, to ${memoryBound} MiB`,
      found: `${memory.first.toFixed(1)} MiB in the first quarter, ${memory.last.toFixed(1)} MiB in the last`,
      holds: memory.last <= memory.first + memoryBound,
    },
    {
      what: 'descriptors flat',
      found: `${descriptors.first} in the first quarter, ${descriptors.last} in the last`,
      holds: descriptors.last <= descriptors.first,
    },
    {
      what: 'everything was done',
      found: `${facts.files} files, ${facts.finds} listings, ${facts.killedReaders} readers killed, ${facts.cycles} mounts, ${facts.repairs} repaired`,
      holds: [facts.files, facts.finds, facts.killedReaders, facts.cycles, facts.repairs].every((count) => count > 0),
    },
  ];
}

function none(what: string, unit: string, count: number, first = ''): Check {
  return {
    what: `no ${what}`,
    found: `${count} ${unit}${first === '' ? '' : `, the first ${first}`}`,
    holds: count === 0,
  };
}

function quarters(values: readonly number[]): { readonly first: number; readonly last: number } {
  const length = Math.ceil(values.length / 4);
  return { first: median(values.slice(0, length)), last: median(values.slice(-length)) };
}
