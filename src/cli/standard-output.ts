import { writeSync } from 'node:fs';
import { systemCode, systemError } from '../io/system-error.ts';

/** Whoever read our output has gone, as `head` does. Not an error: the command ends at once, without a word. */
export class OutputClosed extends Error {}

const bufferLength = 65_536;
const newline = Buffer.from('\n');

/**
 * Results, written to descriptor 1 in order and complete: collected up to 64 KiB, and then written by blocking calls, so that a slow
 * reader slows us down instead of filling memory, and nothing is lost when the process ends.
 */
export class StandardOutput {
  readonly #descriptor: number;
  readonly #buffer = Buffer.allocUnsafe(bufferLength);
  #used = 0;

  constructor(descriptor = 1) {
    this.#descriptor = descriptor;
  }

  write(bytes: Uint8Array): void {
    if (this.#used + bytes.length > bufferLength) this.flush();
    if (bytes.length > bufferLength) {
      this.#writeAll(bytes);
      return;
    }
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Text, or bytes as they are, and the end of the line. */
  writeLine(line: string | Uint8Array): void {
    this.write(typeof line === 'string' ? Buffer.from(line) : line);
    this.write(newline);
  }

  /** One JSON document on a line of its own. */
  writeJson(value: unknown): void {
    this.writeLine(JSON.stringify(value));
  }

  flush(): void {
    const used = this.#used;
    this.#used = 0;
    this.#writeAll(this.#buffer.subarray(0, used));
  }

  #writeAll(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      try {
        done += writeSync(this.#descriptor, bytes, done, bytes.length - done);
      } catch (error) {
        if (systemCode(error) === 'EPIPE') throw new OutputClosed();
        // Somebody who shares the pipe made it non-blocking.
        if (systemCode(error) !== 'EAGAIN') throw systemError('write', 'standard output', error);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      }
    }
  }
}

/** The one that commands write their results to. */
export const standardOutput = new StandardOutput();
