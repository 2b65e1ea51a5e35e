import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** A filesystem of test/native that shows the files of a directory in another one until the test has finished, and obeys commands, one a line. */
export class StorageProcess {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  private constructor(program: string, options: readonly string[]) {
    this.#process = spawn(program, options);
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
    this.#process.stderr.on('data', (bytes: Buffer) => {
      this.#errors += bytes.toString();
    });
  }

  static async start(program: string, ...options: readonly string[]): Promise<StorageProcess> {
    const storage = new StorageProcess(program, options);
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
    const answer = await this.ask(command);
    if (answer !== 'done') throw new Error(`${command}: ${answer}`);
  }

  ask(command: string): Promise<string> {
    this.#process.stdin.write(`${command}\n`);
    return this.#line();
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the storage ended: ${this.#errors}`);
    return value;
  }
}
