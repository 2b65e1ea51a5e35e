import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { abstractPath, listenAbstract } from './abstract-socket.ts';

/** One holder may take so long; how many come before does not matter. */
const holderMilliseconds = 30_000;
const pause = 20;

/**
 * Runs `action` while no other process on this machine does so for the same mount point: the tasks of a job may all mount at once. The lock of
 * a process that dies is free.
 *
 * @throws ShoalError `busy` if one other process holds it for half a minute.
 */
export function withMountPointLock<T>(directory: Buffer, action: () => Promise<T>): Promise<T> {
  return withLock(lockName('mounting', directory), directory, action);
}

/**
 * The same for a server, from before it mounts until whoever started it knows that it is ready: that process may die meanwhile, and its lock
 * with it.
 */
export function withServerLock<T>(directory: Buffer, action: () => Promise<T>): Promise<T> {
  return withLock(lockName('starting', directory), directory, action);
}

/** Resolves when no server is between mounting and being ready. Throws `busy` as {@link withMountPointLock} does. */
export async function untilNoServerStarts(directory: Buffer): Promise<void> {
  await holderGone(lockName('starting', directory), directory);
}

async function withLock<T>(name: string, directory: Buffer, action: () => Promise<T>): Promise<T> {
  for (;;) {
    const lock = await listenAbstract(name, () => {});
    if (lock === 'taken') {
      // Where nobody answers under a name that is taken, its holder is just coming or going.
      if (!(await holderGone(name, directory))) await sleep(pause);
      continue;
    }
    try {
      return await action();
    } finally {
      lock?.close();
    }
  }
}

/** Resolves when whoever holds the lock has let it go; false: nobody holds it. Throws `busy` if one holder keeps it for too long. */
async function holderGone(name: string, directory: Buffer): Promise<boolean> {
  for (let waited = 0; waited < holderMilliseconds; waited += pause) {
    const answer = await connectUntilClosed(name, holderMilliseconds);
    if (answer === 'closed') return true;
    if (answer === 'refused') return false;
    if (answer === 'open') break;
    await sleep(pause);
  }
  const message = `another process has been mounting here for ${holderMilliseconds / 1000} s; end it or try again`;
  throw new ShoalError('busy', message, { path: showBytes(directory) });
}

/** A connection to the holder of a lock ends with its hold. `crowded`: so many wait that it cannot be asked. */
function connectUntilClosed(name: string, milliseconds: number): Promise<'closed' | 'open' | 'refused' | 'crowded'> {
  return new Promise((resolve) => {
    const socket = connect({ path: abstractPath(name) });
    let connected = false;
    socket.on('connect', () => {
      connected = true;
    });
    socket.setTimeout(milliseconds, () => {
      resolve('open');
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!connected) resolve(error.code === 'EAGAIN' ? 'crowded' : 'refused');
    });
    socket.on('close', () => resolve('closed'));
    socket.resume();
  });
}

function lockName(purpose: 'mounting' | 'starting', directory: Buffer): string {
  return `${purpose}.${createHash('sha256').update(directory).digest('hex').slice(0, 32)}`;
}
