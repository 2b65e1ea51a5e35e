import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ClientResult, readClient } from '../clients.ts';
import type { Mounted } from '../contender.ts';
import { dropDentries, warm } from '../page-cache.ts';
import type { Trial } from '../scenario.ts';

export const freshMount = 'fresh mount, page cache warm, dentries dropped';

/** Mounts what the trial's contender packed, and unmounts it whatever happens. */
export function withMount<Result>(trial: Trial, use: (mounted: Mounted) => Result): Result {
  const at = join(trial.scratch, 'mount');
  mkdirSync(at);
  const mounted = (trial.contender.mount as NonNullable<typeof trial.contender.mount>)(trial.packed, at);
  try {
    return use(mounted);
  } finally {
    mounted.unmount();
  }
}

/** As {@link withMount}, in the state that {@link freshMount} says. */
export function onFreshMount<Result>(trial: Trial, use: (mounted: Mounted) => Result): Result {
  warmContent(trial);
  return withMount(trial, (mounted) => {
    if (dropDentries() && trial.contender.kind !== 'none') warmContent(trial);
    return use(mounted);
  });
}

/** Brings what the contender serves from into the page cache: its archive, or the files of the tree. */
export function warmContent({ contender, packed, dataSet }: Trial): void {
  if (contender.kind === 'none') {
    readClient('read', packed.source, dataSet.paths, '1', String(dataSet.files), '1');
    return;
  }
  warm(packed.archive);
  // A synthetic tar is no volume beside its index, and what it holds is not read.
  for (const volume of volumesOf(packed.archive)) warm(volume);
}

/** The files of volumes beside an index; none for archives of other kinds. */
export function volumesOf(archive: string): string[] {
  if (!archive.endsWith('.shoal')) return [];
  return ['.tar', '.tar.zst'].map((ending) => archive.replace(/\.shoal$/, ending)).filter((path) => existsSync(path));
}

export interface RandomWork {
  readonly mode: 'stat' | 'follow' | 'missing' | 'read';
  readonly threads?: number;
  /** How often each path is asked for. */
  readonly rounds?: number;
}

/** Asks for random paths of the data set; each once, if not told otherwise. */
export function askAtRandom(root: string, trial: Trial, { mode, threads = 1, rounds = 1 }: RandomWork): ClientResult {
  const { dataSet, seed, operations } = trial;
  const count = Math.min(operations, dataSet.files);
  const numbers = [threads, count, seed, rounds].map(String);
  return exactly(count * rounds, readClient(mode, root, dataSet.paths, ...numbers));
}

/** Lists and stats the whole tree. */
export function findAll(root: string, { dataSet }: Trial): ClientResult {
  return exactly(dataSet.files + dataSet.directories, readClient('find', root));
}

/** A rate over fewer operations than were asked for is none. */
export function exactly(operations: number, result: ClientResult): ClientResult {
  if (result.operations !== operations)
    throw new Error(`expected ${operations} operations, counted ${result.operations}`);
  return result;
}

/** Reads the large file once, whole. */
export function readLarge(root: string, { dataSet }: Trial, mode: 'sequential' | 'direct'): ClientResult {
  const result = readClient(mode, join(root, 'large.bin'));
  if (result.bytes !== dataSet.bytes) throw new Error(`expected ${dataSet.bytes} bytes, read ${result.bytes}`);
  return result;
}

export function perSecond({ operations, seconds }: ClientResult): number {
  return operations / seconds;
}

export function megabytesPerSecond({ bytes, seconds }: ClientResult): number {
  return bytes / seconds / 1e6;
}
