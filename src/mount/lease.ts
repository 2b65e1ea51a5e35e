import { createHash } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';

/**
 * What a server tells of its mount to whoever asks on this machine: over a socket in the abstract namespace (unix(7)), which needs no
 * directory, leaves nothing behind and is closed by the kernel when the server ends, however it ends. Node makes such sockets properly from
 * 20.4 on. Another network namespace has other abstract names: from there a server cannot be asked.
 */
export interface Lease {
  readonly pid: number;
  /** Of the images in their order, each 32 hexadecimal digits. */
  readonly ids: readonly string[];
  /** {@link describeOptions} of the mount. */
  readonly options: string;
}

/** An open line to a server. */
export interface LeaseLine {
  readonly lease: Lease;
  /** Resolves when the server has ended or `milliseconds` have passed; tells whether it has. */
  ended(milliseconds: number): Promise<boolean>;
  close(): void;
}

const answerMilliseconds = 2000;
/** Whoever listens under the name may send anything. That of 1 024 images takes 36 000 characters, and the options' paths up to 5 a byte. */
const maxAnswer = 1 << 17;
const lockMilliseconds = 30_000;
const lockPause = 20;
const takenMilliseconds = 2000;
const goneMilliseconds = 1000;
const gonePause = 5;

/** Answers for the mount with this device number until closed. */
export async function announceLease(device: string, lease: Lease): Promise<{ close(): void }> {
  const sockets = new Set<Socket>();
  const answer = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.unref().write(`${JSON.stringify(lease)}\n`);
  };
  let server = await listen(leaseName(device), answer);
  // The kernel gives the number of a mount that is gone to the next one, while the server of the former is about to end.
  for (let waited = 0; server === 'taken' && waited < takenMilliseconds; waited += lockPause) {
    await sleep(lockPause);
    server = await listen(leaseName(device), answer);
  }
  return {
    close() {
      if (server !== 'taken') server?.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Asks the server of the mount with this device number; undefined where none answers. */
export function askLease(device: string): Promise<LeaseLine | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path: leaseName(device) });
    const closed = new Promise<void>((done) => socket.once('close', () => done()));
    let text = '';
    const giveUp = () => {
      socket.destroy();
      resolve(undefined);
    };
    socket.setTimeout(answerMilliseconds, giveUp);
    socket.on('error', giveUp);
    socket.on('end', giveUp);
    socket.on('data', (part) => {
      text += part;
      if (text.length > maxAnswer) return giveUp();
      if (!text.includes('\n')) return;
      const lease = parseLease(text);
      if (lease === undefined) return giveUp();
      socket.setTimeout(0);
      resolve({
        lease,
        ended: (milliseconds) => hasEnded(lease.pid, closed, milliseconds),
        close: () => socket.destroy(),
      });
    });
  });
}

/**
 * Runs `action` while no other process on this machine does so for the same mount point: the tasks of a job may all mount at once.
 *
 * @throws ShoalError `busy` if another does for half a minute.
 */
export async function withMountPointLock<T>(directory: Buffer, action: () => Promise<T>): Promise<T> {
  const name = `\0shoal.mounting.${createHash('sha256').update(directory).digest('hex').slice(0, 32)}`;
  const deadline = Date.now() + lockMilliseconds;
  for (;;) {
    const lock = await listen(name, (socket) => socket.destroy());
    if (lock !== 'taken') {
      try {
        return await action();
      } finally {
        lock?.close();
      }
    }
    if (Date.now() > deadline) {
      throw new ShoalError(
        'busy',
        'another process has been mounting or unmounting here for 30 s; end it or try again',
        {
          path: showBytes(directory),
        },
      );
    }
    await sleep(lockPause);
  }
}

function leaseName(device: string): string {
  return `\0shoal.mount.${device}`;
}

/** A listening socket that keeps no process alive; undefined where abstract names are not supported. */
function listen(path: string, onConnection: (socket: Socket) => void): Promise<Server | 'taken' | undefined> {
  return new Promise((resolve) => {
    const server = createServer(onConnection);
    server.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE' ? 'taken' : undefined));
    server.listen({ path }, () => resolve(server.unref()));
  });
}

function parseLease(text: string): Lease | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const { pid, ids, options } = value as Lease;
    return typeof pid === 'number' && Array.isArray(ids) && typeof options === 'string'
      ? { pid, ids, options }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The line closes a moment before the process is gone; a process id of another container is not waited for longer than that. */
async function hasEnded(pid: number, closed: Promise<void>, milliseconds: number): Promise<boolean> {
  const timer = new AbortController();
  const timeout = sleep(milliseconds, false, { signal: timer.signal }).catch(() => false);
  const inTime = await Promise.race([closed.then(() => true), timeout]);
  timer.abort();
  for (let waited = 0; inTime && isRunning(pid) && waited < goneMilliseconds; waited += gonePause)
    await sleep(gonePause);
  return inTime;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
