import { ShoalError } from '../base/errors.ts';
import type { OnProgress, Progress } from '../base/progress.ts';
import { ProgressCounter } from './addon.ts';
import { toShoalError } from './load.ts';

/** How a long native job is watched and stopped. */
export interface JobOptions {
  /** Called some times a second while the job runs, and once at its end; what it throws ends the job and rejects it. */
  readonly onProgress?: OnProgress | undefined;
  /** Ends the job with `cancelled`, with the signal's reason as cause. */
  readonly signal?: AbortSignal | undefined;
}

/** Often enough for a progress bar, too seldom to cost anything. */
const pollMilliseconds = 100;

/** Runs a job of the addon: hands it the counters, reports them, passes on an abort, and turns what it rejects with into a ShoalError. */
export async function runJob<T>(job: (counters: BigUint64Array) => Promise<T>, options: JobOptions = {}): Promise<T> {
  const { onProgress, signal } = options;
  throwIfCancelled(signal);

  const counters = new BigUint64Array(Object.keys(ProgressCounter).length);
  const cancel = () => Atomics.store(counters, ProgressCounter.cancel, 1n);
  signal?.addEventListener('abort', cancel, { once: true });

  let listenerFailure: Failure | undefined;
  const report = () => {
    if (listenerFailure !== undefined) return;
    try {
      onProgress?.(read(counters));
    } catch (error) {
      listenerFailure = { error };
      cancel();
    }
  };
  const timer = onProgress === undefined ? undefined : setInterval(report, pollMilliseconds);

  try {
    const result = await job(counters);
    report();
    rethrow(listenerFailure);
    return result;
  } catch (error) {
    rethrow(listenerFailure);
    const failure = toShoalError(error);
    throw failure.code === 'cancelled' && signal?.aborted ? cancelled(signal) : failure;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', cancel);
  }
}

/** Between jobs, where something begins that no counter can stop. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal);
}

interface Failure {
  readonly error: unknown;
}

function rethrow(failure: Failure | undefined): void {
  if (failure !== undefined) throw failure.error;
}

function read(counters: BigUint64Array): Progress {
  const value = (counter: number) => Number(Atomics.load(counters, counter));
  const entriesTotal = value(ProgressCounter.entriesTotal);
  const bytesTotal = value(ProgressCounter.bytesTotal);
  return {
    entriesDone: value(ProgressCounter.entriesDone),
    bytesDone: value(ProgressCounter.bytesDone),
    ...(entriesTotal > 0 && { entriesTotal }),
    ...(bytesTotal > 0 && { bytesTotal }),
  };
}

function cancelled(signal: AbortSignal): ShoalError {
  return new ShoalError('cancelled', 'cancelled before it was done', { cause: signal.reason });
}
