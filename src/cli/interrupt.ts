import { constants } from 'node:os';
import { isShoalError } from '../base/errors.ts';

type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** The work was ended by a signal, and has cleaned up. */
export class Interrupted extends Error {
  /** As shells count: 128 and the number of the signal. */
  readonly status: number;

  constructor(signal: StopSignal) {
    super(`interrupted by ${signal}; what was begun has been removed`);
    this.status = 128 + constants.signals[signal];
  }
}

/** Runs `work`, which ends by its `AbortSignal` when this process is told to stop. The second signal ends the process at once. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let received: StopSignal | undefined;
  const stop = (signal: NodeJS.Signals) => {
    received = signal as StopSignal;
    release();
    controller.abort(new Error(`received ${signal}`));
  };
  const signals: StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const release = () => {
    for (const signal of signals) process.off(signal, stop);
  };
  for (const signal of signals) process.on(signal, stop);

  try {
    return await work(controller.signal);
  } catch (error) {
    if (received !== undefined && isShoalError(error, 'cancelled')) throw new Interrupted(received);
    throw error;
  } finally {
    release();
  }
}
