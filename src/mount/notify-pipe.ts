import { closeSync, constants, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { systemCode, systemError } from '../io/system-error.ts';

/** Pauses between attempts grow up to this. */
const longestPause = 250;

/** Throws `usage` unless `path` is a FIFO. */
export function checkNotifyPipe(path: Buffer): void {
  const shown = showBytes(path);
  try {
    if (statSync(path).isFIFO()) return;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw systemError('look at notify_pipe', shown, error);
    throw new ShoalError('usage', 'expected a FIFO for notify_pipe, found nothing; create it with mkfifo', {
      path: shown,
    });
  }
  throw new ShoalError('usage', 'expected a FIFO for notify_pipe, found something else; create one with mkfifo', {
    path: shown,
  });
}

/**
 * Writes `byte` as soon as somebody reads the FIFO, as squashfuse does: `s` for success, `f` for failure. Gives up when `signal` says so, or where
 * there is no FIFO any more. Never blocks, and never rejects: that nobody listens changes nothing of the mount.
 */
export async function notify(fifo: Buffer, byte: 's' | 'f', signal: AbortSignal): Promise<void> {
  for (let pause = 5; !signal.aborted && !tryToWrite(fifo, byte); pause = Math.min(pause * 2, longestPause)) {
    await sleep(pause, undefined, { signal }).catch(() => {});
  }
}

/** False if nobody has the FIFO open for reading. */
function tryToWrite(fifo: Buffer, byte: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    return systemCode(error) !== 'ENXIO';
  }
  try {
    if (fstatSync(descriptor).isFIFO()) writeSync(descriptor, byte);
  } catch {
    // The reader left in this moment.
  } finally {
    closeSync(descriptor);
  }
  return true;
}
