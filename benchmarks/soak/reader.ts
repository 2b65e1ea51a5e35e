import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { clientProgram } from '../clients.ts';
import type { SoakTree } from './tree.ts';

/** What benchmarks/native/compare_client.cc prints. */
export interface ReaderReport {
  readonly files: number;
  readonly bytes: number;
  readonly wrong: number;
  readonly unread: number;
  readonly firstWrong: string;
  readonly firstUnread: string;
}

/** Milliseconds in which a process that was told to end must have ended. */
export const patience = 30_000;

/** A process that reads random files through `mount` and holds every byte against the tree. */
export class Reader {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #said = '';

  constructor(mount: string, tree: SoakTree, seed: number) {
    const args = [mount, tree.directory, tree.paths, String(seed)];
    this.#child = spawn(clientProgram('compare_client'), args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#closed = once(this.#child, 'close');
    this.#closed.catch(() => {}); // who waits is told
    this.#child.stdin?.on('error', () => {}); // it was killed
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  async stop(): Promise<ReaderReport> {
    this.#child.stdin?.end();
    if (!(await this.#ends())) throw new Error(`reader ${this.pid} did not end within ${patience} ms`);
    if (this.#child.exitCode !== 0) {
      throw new Error(`a reader ended with ${this.#child.exitCode ?? this.#child.signalCode}`);
    }
    return JSON.parse(this.#said) as ReaderReport;
  }

  /** In the middle of whatever it does. False if it is still there afterwards: it waits for something that never comes. */
  kill(): Promise<boolean> {
    this.#child.kill('SIGKILL');
    return this.#ends();
  }

  async #ends(): Promise<boolean> {
    const waiting = new AbortController();
    const late = setTimeout(patience, false, { signal: waiting.signal }).catch(() => false);
    const ended = await Promise.race([this.#closed.then(() => true), late]);
    waiting.abort();
    return ended;
  }
}
