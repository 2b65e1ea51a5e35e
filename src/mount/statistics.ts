import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { type NativeStatistics, requestKinds } from '../native/statistics.ts';
import { askLease } from './lease.ts';
import { findShoalMount, isStale, serverIsStuck } from './mount-point.ts';
import type { MountedFilesystem } from './mountinfo.ts';

/** What a mount has done since it was made, and what is served where. */
export interface MountStatistics extends NativeStatistics {
  /** Absolute, without symbolic links. */
  readonly directory: Buffer;
  /** What mount(8) shows as mounted there. */
  readonly image: Buffer;
  /** Of the images in their order, each 32 hexadecimal digits. */
  readonly ids: readonly string[];
  /** Process that serves it. */
  readonly pid: number;
  /** Of Shoal, that the process runs. */
  readonly version: string;
}

/** What a server sends when it is asked {@link statisticsQuestion}. */
export interface StatisticsAnswer extends NativeStatistics {
  readonly version: string;
}

/** See {@link announceLease}. */
export const statisticsQuestion = 'statistics';

/**
 * Asks the server of a mount what it has done. The mount itself is not touched.
 *
 * @throws ShoalError `missing`: nothing is mounted there, or its server is gone. `usage`: something else is mounted there. `busy`: the server
 * does not answer. `unsupported`: it cannot be asked from here.
 *
 * @example
 * ```ts
 * const { requests, servedBytes } = await mountStatistics('/mnt/photos');
 * console.log(requests.read.count, requests.read.p99 / 1000, servedBytes);
 * ```
 */
export async function mountStatistics(directory: string | Buffer): Promise<MountStatistics> {
  const mounted = await findShoalMount(typeof directory === 'string' ? Buffer.from(directory) : directory);
  const path = showBytes(mounted.directory);
  const line = await askLease(mounted.device);
  if (line === 'silent') throw serverIsStuck(mounted.directory);
  if (line === 'none') throw await whyUnreachable(mounted);
  try {
    const { pid, ids } = line.lease;
    const answer = await line.ask(statisticsQuestion);
    if (!isAnswer(answer)) {
      const message = `expected process ${pid}, which serves this mount, to tell its statistics, found no answer; it is stuck, of another version of Shoal, or served with engine=js, which counts nothing`;
      throw new ShoalError('busy', message, { path });
    }
    return { ...answer, directory: mounted.directory, image: mounted.source, ids, pid };
  } finally {
    line.close();
  }
}

async function whyUnreachable(mounted: MountedFilesystem): Promise<ShoalError> {
  const path = showBytes(mounted.directory);
  if (await isStale(mounted)) {
    const message = 'expected a server for this mount, found that it is gone; shoal mount or shoal unmount repairs it';
    return new ShoalError('missing', message, { path });
  }
  const message =
    'the server of this mount cannot be asked from here: it was mounted in another network namespace (a container); ask there';
  return new ShoalError('unsupported', message, { path });
}

/** Whoever listens under a mount's name may send anything. */
function isAnswer(value: unknown): value is StatisticsAnswer {
  const answer = value as StatisticsAnswer | undefined;
  const totals = ['uptime', 'threads', 'servedBytes', 'storageReads', 'storageBytes', 'cacheHits', 'cacheMisses'];
  const counts = ['count', 'errors', 'total', 'p50', 'p90', 'p99', 'p999', 'longest'];
  return (
    typeof answer?.version === 'string' &&
    hasNumbers(answer, [...totals, 'retries', 'checksumFailures', 'indexFaults']) &&
    hasNumbers(answer.protocol, ['minor', 'maxRead']) &&
    isListOf('string', answer.protocol.features) &&
    isListOf('number', answer.bounds) &&
    requestKinds.every((kind) => {
      const requests = answer.requests?.[kind];
      return hasNumbers(requests, counts) && isListOf('number', requests.upTo);
    })
  );
}

function hasNumbers(value: object | null | undefined, names: readonly string[]): boolean {
  return names.every((name) => typeof (value as Record<string, unknown> | null | undefined)?.[name] === 'number');
}

function isListOf(type: 'number' | 'string', value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === type);
}
