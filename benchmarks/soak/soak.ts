import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { dropDentries } from '../page-cache.ts';
import { blockedProcesses, openDescriptors, privateMemory, processState } from '../process-facts.ts';
import { seededRandom } from '../random.ts';
import type { Sample, SoakFacts } from './judge.ts';
import { patience, Reader, type ReaderReport } from './reader.ts';
import { makeSoakTree, type SoakTree } from './tree.ts';

export interface SoakOptions {
  readonly seconds: number;
  /** An empty directory for all that is made; mounts in it are taken away at the end. */
  readonly directory: string;
  readonly files: number;
  /** Processes that read from the mount that stays. */
  readonly readers: number;
  /** Whether the kernel is made to forget names now and then, all over the machine, so that the server is asked for them again. */
  readonly dropsDentries: boolean;
  /** Ends the soak early. */
  readonly signal: AbortSignal;
}

const run = promisify(execFile);
const program = fileURLToPath(new URL('../../bin/shoal.js', import.meta.url));

/**
 * Uses two mounts of one image hard for a time: one stays and is watched, the other is mounted and unmounted, and its server killed, again and again. What
 * happened grows in `facts`, of which {@link judge} says whether it is well.
 */
export class Soak {
  readonly facts: SoakFacts & { readonly samples: Sample[] } = {
    samples: [],
    ...{ files: 0, bytes: 0, wrong: 0, firstWrong: '', unread: 0, firstUnread: '', finds: 0, wrongFinds: 0 },
    ...{ cycles: 0, repairs: 0, killedReaders: 0, stuck: 0 },
  };
  readonly #options: SoakOptions;
  readonly #tree: SoakTree;
  readonly #image: string;
  readonly #steady: string;
  readonly #restless: string;
  readonly #random = seededRandom(1);
  readonly #ending = new AbortController();

  constructor(options: SoakOptions) {
    this.#options = options;
    this.#tree = makeSoakTree(options.directory, options.files);
    this.#image = join(options.directory, 'image.shoal');
    [this.#steady, this.#restless] = ['steady', 'restless'].map((name) => join(options.directory, name)) as [
      string,
      string,
    ];
    for (const directory of [this.#steady, this.#restless]) mkdirSync(directory);
  }

  /** Throws where a step fails that must not; damage is counted. */
  async run(): Promise<void> {
    const { seconds, readers, dropsDentries, signal } = this.#options;
    const stop = () => this.#ending.abort();
    signal.addEventListener('abort', stop);
    try {
      await shoal('pack', this.#tree.directory, '-o', this.#image, '--quiet');
      const server = await this.#mount(this.#steady);
      const listing = await listTree(this.#tree.directory);
      const deadline = setTimeout(seconds * 1000, undefined, { signal: this.#ending.signal }).then(stop, () => {});
      const steps = [
        deadline,
        ...Array.from({ length: readers }, () => this.#again(() => this.#read(seconds / 10))),
        this.#again(() => this.#list(listing)),
        this.#again(() => this.#killReader()),
        this.#again(() => this.#remount()),
        this.#again(() => this.#watch(server)),
        ...(dropsDentries ? [this.#again(() => this.#forget())] : []),
      ];
      await Promise.race([Promise.all(steps), this.#overtime()]);
      await this.#unmount(this.#steady, server);
    } finally {
      stop();
      signal.removeEventListener('abort', stop);
      for (const directory of [this.#steady, this.#restless])
        await shoal('unmount', '--lazy', directory).catch(() => {});
    }
  }

  /** Rejects if the steps do not end when they should: some process waits for the mount in a state in which nothing ends it. */
  async #overtime(): Promise<void> {
    const { seconds } = this.#options;
    await setTimeout(seconds * 1000 + 2 * patience, undefined, { ref: false });
    const blocked = blockedProcesses().join(', ') || 'none';
    throw new Error(`expected the soak to end after ${seconds} s, found it hanging; processes in state D: ${blocked}`);
  }

  /** A step that fails ends all the others; after Ctrl-C many do. */
  async #again(step: () => Promise<void>): Promise<void> {
    try {
      while (!this.#ending.signal.aborted) await step();
    } catch (error) {
      if (this.#options.signal.aborted) return;
      this.#ending.abort();
      throw error;
    }
  }

  async #read(seconds: number): Promise<void> {
    const reader = this.#startReader(this.#steady);
    await this.#wait(seconds * 1000);
    this.#count(await reader.stop(), true);
  }

  async #list(expected: string): Promise<void> {
    if ((await listTree(this.#steady)) !== expected) this.facts.wrongFinds++;
    this.facts.finds++;
    await this.#wait(200);
  }

  async #killReader(): Promise<void> {
    const reader = this.#startReader(this.#steady);
    await this.#wait(20 + this.#random.below(300));
    if (!(await reader.kill())) this.facts.stuck++;
    this.facts.killedReaders++;
  }

  /** Every second time the server is killed while a reader is at work, and what it leaves is repaired under that reader. */
  async #remount(): Promise<void> {
    const kills = this.facts.cycles % 2 === 1;
    let server = await this.#mount(this.#restless);
    const reader = this.#startReader(this.#restless);
    await this.#wait(100 + this.#random.below(400));
    if (kills) {
      process.kill(server, 'SIGKILL');
      server = await this.#mount(this.#restless);
      this.facts.repairs++;
      await this.#wait(100 + this.#random.below(400));
    }
    this.#count(await reader.stop(), !kills);
    await this.#unmount(this.#restless, server);
    this.facts.cycles++;
  }

  async #watch(server: number): Promise<void> {
    this.facts.samples.push({ memory: privateMemory(server), descriptors: openDescriptors(server) });
    await this.#wait(Math.min(1000, this.#options.seconds * 10));
  }

  async #forget(): Promise<void> {
    await this.#wait(5000);
    dropDentries();
  }

  async #mount(directory: string): Promise<number> {
    return JSON.parse(await shoal('mount', '--json', this.#image, directory)).pid;
  }

  /** The server has nothing left to do and may be on its last steps, but it must not stay. */
  async #unmount(directory: string, server: number): Promise<void> {
    await shoal('unmount', directory);
    for (let waited = 0; isThere(server) && waited < patience; waited += 20) await setTimeout(20);
    if (isThere(server)) this.facts.stuck++;
  }

  #startReader(mount: string): Reader {
    return new Reader(mount, this.#tree, this.#random.below(2 ** 31));
  }

  #count(report: ReaderReport, mustRead: boolean): void {
    const { facts } = this;
    facts.files += report.files;
    facts.bytes += report.bytes;
    facts.wrong += report.wrong;
    facts.firstWrong ||= report.firstWrong;
    if (!mustRead) return;
    facts.unread += report.unread;
    facts.firstUnread ||= report.firstUnread;
  }

  /** Or less, if the soak ends. */
  async #wait(milliseconds: number): Promise<void> {
    await setTimeout(milliseconds, undefined, { signal: this.#ending.signal }).catch(() => {});
  }
}

/** A zombie has ended; that nobody took note of it yet is not its fault. */
function isThere(process: number): boolean {
  return ![undefined, 'Z', 'X'].includes(processState(process));
}

async function shoal(...args: readonly string[]): Promise<string> {
  return (await run(process.execPath, [program, ...args])).stdout;
}

/** Everything that find(1) tells of a tree but what differs from filesystem to filesystem. */
async function listTree(directory: string): Promise<string> {
  const format = ['-type', 'd', '-printf', '%P %y %m %n %T@\\n', '-o', '-printf', '%P %y %m %n %T@ %s\\n'];
  const { stdout } = await run('find', [directory, ...format], { maxBuffer: 1 << 28 });
  return stdout.split('\n').sort().join('\n');
}
