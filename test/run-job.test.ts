import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { ShoalError } from '../src/base/errors.ts';
import type { Progress } from '../src/base/progress.ts';
import { ProgressCounter } from '../src/native/addon.ts';
import { runJob } from '../src/native/run-job.ts';

/** A job that runs until it is told to stop, as native jobs do. */
async function untilCancelled(counters: BigUint64Array): Promise<never> {
  while (counters[ProgressCounter.cancel] === 0n) await sleep(1);
  throw Object.assign(new Error('cancelled before it was done'), { code: 'cancelled' });
}

test('a job tells how far it is while it runs and at its end, totals once they are known', async () => {
  const told: Progress[] = [];
  const result = await runJob(
    async (counters) => {
      counters[ProgressCounter.entriesDone] = 1n;
      await vi.waitFor(() => expect(told).not.toEqual([]), { timeout: 60_000 });
      counters.set([3n, 5n, 3n, 9n]);
      return 'result';
    },
    { onProgress: (progress) => told.push(progress) },
  );
  expect(result).toBe('result');
  expect(told[0]).toEqual({ entriesDone: 1, bytesDone: 0 });
  expect(told.at(-1)).toEqual({ entriesDone: 3, bytesDone: 5, entriesTotal: 3, bytesTotal: 9 });
});

test('an abort ends the job as cancelled, with its reason', async () => {
  const abort = new AbortController();
  const running = runJob(untilCancelled, { signal: abort.signal });
  abort.abort('enough');
  await expect(running).rejects.toMatchObject({ name: 'ShoalError', code: 'cancelled', cause: 'enough' });
});

test('a job that is aborted before it begins does not begin', async () => {
  const job = vi.fn(untilCancelled);
  await expect(runJob(job, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  expect(job).not.toHaveBeenCalled();
});

test('what a progress listener throws ends the job, and is what it rejects with', async () => {
  const mistake = new Error('of the listener');
  const onProgress = () => {
    throw mistake;
  };
  await expect(runJob(untilCancelled, { onProgress })).rejects.toBe(mistake);
});

test('a native failure becomes a ShoalError with its code, path and offset', async () => {
  const failure = Object.assign(new Error('expected this, found that'), {
    code: 'checksum',
    path: Buffer.from('v.tar'),
    offset: 7,
  });
  const rejected = await runJob(() => Promise.reject(failure)).catch((error: unknown) => error);
  expect(rejected).toBeInstanceOf(ShoalError);
  expect(rejected).toMatchObject({ code: 'checksum', path: 'v.tar', offset: 7, message: 'expected this, found that' });
});
