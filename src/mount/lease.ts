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

/** What a server answers to further questions, by question: one JSON document each. */
export type Answers = Readonly<Record<string, () => object>>;

/** An open line to a server. */
export interface LeaseLine {
  readonly lease: Lease;
  /** The server's answer to one of its {@link Answers}; undefined where it has none, or gives none in time. One question at a time. */
  ask(question: string): Promise<unknown>;
  /** Resolves when the server has ended or `milliseconds` have passed; tells whether it has. */
  ended(milliseconds: number): Promise<boolean>;
  close(): void;
}

const answerMilliseconds = 2000;
/**
 * Whoever listens under the name may send anything, and so may whoever asks. The lease of 1 024 images takes 36 000 characters, and the options'
 * paths up to 5 a byte.
 */
const maxLease = 1 << 17;
const maxAnswer = 1 << 18;
const maxQuestion = 64;
const lockMilliseconds = 30_000;
const lockPause = 20;
const takenMilliseconds = 2000;
const goneMilliseconds = 1000;
const gonePause = 5;

/**
 * Answers for the mount with this device number until closed: whoever connects gets the lease as a line, and then an answer to each line that is a
 * question of `answers`.
 */
export async function announceLease(device: string, lease: Lease, answers: Answers = {}): Promise<{ close(): void }> {
  const sockets = new Set<Socket>();
  const answer = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.unref().write(`${JSON.stringify(lease)}\n`);
    answerQuestions(socket, answers);
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

function answerQuestions(socket: Socket, answers: Answers): void {
  let asked = '';
  socket.setEncoding('latin1').on('data', (part) => {
    asked += part;
    for (let end = asked.indexOf('\n'); end !== -1; end = asked.indexOf('\n')) {
      const question = asked.slice(0, end);
      asked = asked.slice(end + 1);
      // Who asks without reading gets no further answers to be kept here.
      if (!Object.hasOwn(answers, question) || socket.writableNeedDrain) return void socket.destroy();
      socket.write(`${JSON.stringify(answers[question]?.())}\n`);
    }
    if (asked.length > maxQuestion) socket.destroy();
  });
}

/** Asks the server of the mount with this device number; undefined where none answers. */
export async function askLease(device: string): Promise<LeaseLine | undefined> {
  const socket = connect({ path: leaseName(device) }).setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  const closed = new Promise<void>((done) => socket.once('close', () => done()));
  const lease = parseLease(await nextLine(socket, maxLease));
  if (lease === undefined) {
    socket.destroy();
    return undefined;
  }
  return {
    lease,
    ask: async (question) => {
      socket.write(`${question}\n`);
      return parseJson(await nextLine(socket, maxAnswer));
    },
    ended: (milliseconds) => hasEnded(lease.pid, closed, milliseconds),
    close: () => socket.destroy(),
  };
}

/** What the server sends up to the end of a line; undefined where it ends, sends too much, or takes too long. It sends nothing unasked. */
function nextLine(socket: Socket, longest: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const finish = (line?: string) => {
      clearTimeout(timer);
      socket.off('data', take).off('end', giveUp).off('close', giveUp);
      resolve(line);
    };
    const giveUp = () => finish();
    const take = (part: string) => {
      text += part;
      const end = text.indexOf('\n');
      if (end !== -1) finish(text.slice(0, end));
      else if (text.length > longest) giveUp();
    };
    const timer = setTimeout(giveUp, answerMilliseconds);
    socket.on('data', take).on('end', giveUp).on('close', giveUp);
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

function parseLease(line: string | undefined): Lease | undefined {
  const { pid, ids, options } = (parseJson(line) ?? {}) as Partial<Lease>;
  return typeof pid === 'number' && Array.isArray(ids) && typeof options === 'string'
    ? { pid, ids, options }
    : undefined;
}

function parseJson(line: string | undefined): unknown {
  try {
    return line === undefined ? undefined : JSON.parse(line);
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
