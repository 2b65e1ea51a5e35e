import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished, type TestContext } from 'vitest';
import { type BackgroundOptions, type Mounted, mountImage } from '../../src/mount/mount-image.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { nativeProgram } from '../support/native-programs.ts';
import { type Scene, scene } from './scene.ts';

/** What test/native/faulty_storage.cc counts of the reads of a file. */
export interface ReadCount {
  readonly reads: number;
  readonly bytes: number;
  readonly faults: number;
  readonly underWay: number;
  readonly mostUnderWay: number;
}

/** A filesystem that fails when it is told to; its commands are those of test/native/faulty_storage.cc. */
export class FaultyStorage {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  private constructor(program: string, source: string, directory: string) {
    this.#process = spawn(program, [source, directory]);
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
    this.#process.stderr.on('data', (bytes: Buffer) => {
      this.#errors += bytes.toString();
    });
  }

  /** Shows the files of `source` in `directory` until the test has finished. */
  static async start(program: string, source: string, directory: string): Promise<FaultyStorage> {
    const storage = new FaultyStorage(program, source, directory);
    const ended = once(storage.#process, 'exit');
    onTestFinished(async () => {
      storage.#process.stdin.end();
      await ended;
    });
    const line = await storage.#line();
    if (line !== 'ready') throw new Error(`expected "ready", found "${line}"`);
    return storage;
  }

  async tell(command: string): Promise<void> {
    const answer = await this.#ask(command);
    if (answer !== 'done') throw new Error(`${command}: ${answer}`);
  }

  async count(file: string): Promise<ReadCount> {
    return JSON.parse(await this.#ask(`count ${file}`)) as ReadCount;
  }

  #ask(command: string): Promise<string> {
    this.#process.stdin.write(`${command}\n`);
    return this.#line();
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`faulty_storage ended: ${this.#errors}`);
    return value;
  }
}

/** A scene whose image lies on faulty storage, as `image.shoal` and `image.tar`. */
export interface FaultyScene extends Scene {
  readonly storage: FaultyStorage;
}

/** Bytes that tell where they lie, and in which file. */
export function content(length: number, seed: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let place = 0; place < words.length; place++) words[place] = Math.imul(place + 1, 0x9e3779b1) ^ seed;
  return Buffer.from(words.buffer, 0, length);
}

export async function faultyScene(ctx: TestContext): Promise<FaultyScene> {
  const program = nativeProgram('faulty_storage');
  if ('missing' in program) return ctx.skip(program.missing);
  const plain = scene(ctx);
  const stored = join(plain.root, 'stored');
  const shown = join(plain.root, 'shown');
  mkdirSync(stored);
  mkdirSync(shown);
  const image = join(shown, 'image.shoal');
  return {
    ...plain,
    image,
    volume: join(shown, 'image.tar'),
    storage: await FaultyStorage.start(program.path, stored, shown),
    pack: async () => void (await packTree([plain.source], join(stored, 'image.shoal'))),
    mount: (options?: BackgroundOptions): Promise<Mounted> => mountImage(image, plain.directory, options),
  };
}
