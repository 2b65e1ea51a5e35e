import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AbstractServer, abstractPath, listenAbstract, readLines } from './abstract-socket.ts';
import { isRunning, type LeaseHolder } from './lease-holder.ts';

/** What a server tells of its mount to whoever asks on this machine. From another network namespace it cannot be asked. */
export interface Lease {
  readonly pid: number;
  /** Of the images in their order, each 32 hexadecimal digits. */
  readonly ids: readonly string[];
  /** {@link describeOptions} of the mount. */
  readonly options: string;
}

/** What a server answers to further questions, by question: one JSON document each. */
export type Answers = Readonly<Record<string, () => object>>;

/** Asks that the mount lives for a process, too, or with null until it is unmounted. */
type HoldRequest = LeaseHolder | null;
/** `unknown-process`: it does not run, seen from the server. */
type HoldAnswer = 'held' | 'unknown-process';

/** A server has one thread for answers, on a node that may be busy with the start of a job. */
const answerMilliseconds = 10_000;
const takenMilliseconds = 2000;
const takenPause = 20;
const goneMilliseconds = 1000;
const gonePause = 5;

/**
 * Answers for the mount with this device number until closed: whoever connects gets the lease as a line, and then an answer to each line that is a
 * question of `answers`, or asks for a hold. `hold` resolves once the mount is ready, and tells whether such a process runs; since
 * anybody on this machine may ask, it can do no more than let the mount live longer.
 */
export async function announceLease(
  device: string,
  lease: Lease,
  answers: Answers,
  hold: (holder: LeaseHolder | undefined) => Promise<boolean>,
): Promise<{ close(): void }> {
  const answer = async (socket: Socket) => {
    socket.write(`${JSON.stringify(lease)}\n`);
    for await (const line of readLines(socket)) {
      // Who asks without reading gets no further answers to be kept here.
      if (socket.writableNeedDrain) return;
      if (Object.hasOwn(answers, line)) {
        socket.write(`${JSON.stringify(answers[line]?.())}\n`);
        continue;
      }
      const request = parseHoldRequest(line);
      if (request === undefined) return;
      const reply: HoldAnswer = (await hold(request ?? undefined)) ? 'held' : 'unknown-process';
      socket.write(`${reply}\n`);
    }
  };
  const listen = () => listenAbstract(leaseName(device), answer);
  let server: AbstractServer | 'taken' | undefined = await listen();
  // The kernel gives the number of a mount that is gone to the next one, while the server of the former is about to end.
  for (let waited = 0; server === 'taken' && waited < takenMilliseconds; waited += takenPause) {
    await sleep(takenPause);
    server = await listen();
  }
  return {
    close() {
      if (server !== 'taken') server?.close();
    },
  };
}

/** Asks the server of the mount with this device number. There may be `none`, or one that is `silent`: stopped, or stuck. */
export async function askLease(device: string): Promise<LeaseLine | 'none' | 'silent'> {
  const socket = connect({ path: abstractPath(leaseName(device)) });
  let silent = false;
  socket.setTimeout(answerMilliseconds, () => {
    silent = true;
    socket.destroy();
  });
  const lines = readLines(socket);
  const lease = parseLease((await lines.next()).value);
  socket.setTimeout(0);
  if (lease !== undefined) return new LeaseLine(lease, socket, lines);
  socket.destroy();
  return silent ? 'silent' : 'none';
}

/** An open line to a server. */
export class LeaseLine {
  readonly lease: Lease;
  readonly #socket: Socket;
  readonly #lines: AsyncGenerator<string, undefined>;

  constructor(lease: Lease, socket: Socket, lines: AsyncGenerator<string, undefined>) {
    this.lease = lease;
    this.#socket = socket;
    this.#lines = lines;
  }

  /**
   * Asks that the mount lives for `holder`, too, or without one until it is unmounted. `ending`: it is being unmounted already, or never
   * became ready.
   */
  async hold(holder: LeaseHolder | undefined): Promise<HoldAnswer | 'ending'> {
    const request: HoldRequest = holder ?? null;
    const value = await this.#nextLine(JSON.stringify(request));
    return value === 'held' || value === 'unknown-process' ? value : 'ending';
  }

  /** The server's answer to one of its {@link Answers}; undefined where it has none, or gives none in time. One question at a time. */
  async ask(question: string): Promise<unknown> {
    return parseJson(await this.#nextLine(question));
  }

  /** Resolves when the server has ended or `milliseconds` have passed; tells whether it has. */
  async ended(milliseconds: number): Promise<boolean> {
    const timer = new AbortController();
    const timeout = sleep(milliseconds, false, { signal: timer.signal }).catch(() => false);
    const inTime = await Promise.race([this.#lines.next().then(({ done }) => done === true), timeout]);
    timer.abort();
    // The line closes a moment before the process is gone; a process id of another container is not waited for longer than that.
    for (let waited = 0; inTime && isRunning(this.lease.pid) && waited < goneMilliseconds; waited += gonePause) {
      await sleep(gonePause);
    }
    return inTime;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #nextLine(request: string): Promise<string | undefined> {
    this.#socket.setTimeout(answerMilliseconds, () => this.close());
    this.#socket.write(`${request}\n`);
    const { value } = await this.#lines.next();
    this.#socket.setTimeout(0);
    return value;
  }
}

function leaseName(device: string): string {
  return `mount.${device}`;
}

function parseLease(line: string | undefined): Lease | undefined {
  const value = parseJson(line);
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid, ids, options } = value as Partial<Lease>;
  const complete = typeof pid === 'number' && Array.isArray(ids) && typeof options === 'string';
  return complete ? { pid, ids, options } : undefined;
}

function parseHoldRequest(line: string): HoldRequest | undefined {
  const value = parseJson(line);
  if (typeof value !== 'object' || value === null) return value === null ? null : undefined;
  const { pid, started } = value as Partial<LeaseHolder>;
  return Number.isInteger(pid) && typeof started === 'string' ? { pid: pid as number, started } : undefined;
}

function parseJson(line: string | undefined): unknown {
  try {
    return line === undefined ? undefined : JSON.parse(line);
  } catch {
    return undefined;
  }
}
