import { readSync } from 'node:fs';
import { RandomAccessReader } from 'yauzl';
import { ShoalError } from '../../base/errors.ts';
import { systemError } from '../../io/system-error.ts';

const windowLength = 1 << 20;

/** A part of the file that is in memory. */
interface Window {
  start: number;
  bytes: Buffer;
}

/**
 * A file's bytes by way of two windows that move over it: the central directory and the content that it lists are both read from beginning to end, in turns.
 * Reading is synchronous, since nothing else is to be done meanwhile. Where it is sequential, it moves the descriptor's offset, by which whoever shares that sees
 * how far it has come.
 */
export class FileWindows extends RandomAccessReader {
  readonly length: number;
  readonly #descriptor: number;
  #recent: Window = { start: 0, bytes: Buffer.alloc(0) };
  #other: Window = { start: 0, bytes: Buffer.alloc(0) };
  #offset = 0;

  constructor(descriptor: number, length: number) {
    super();
    this.#descriptor = descriptor;
    this.length = length;
  }

  /** A copy of `length` bytes. Throws `truncated` where the file ends before, `io`. */
  bytes(position: number, length: number): Buffer {
    if (!(position + length <= this.length)) {
      throw new ShoalError(
        'truncated',
        `expected ${length} bytes at ${position}, found the end of the file at ${this.length}; the zip is damaged or incomplete, copy it anew`,
      );
    }
    const to = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const window = this.#windowAt(position + done);
      done += window.bytes.copy(to, done, position + done - window.start);
    }
    return to;
  }

  override read(to: Buffer, offset: number, length: number, position: number, callback: ReadCallback): void {
    try {
      this.bytes(position, length).copy(to, offset);
    } catch (error) {
      callback(error as Error);
      return;
    }
    callback(null, length);
  }

  #windowAt(position: number): Window {
    if (!holds(this.#recent, position)) {
      [this.#recent, this.#other] = [this.#other, this.#recent];
      if (!holds(this.#recent, position)) this.#fill(this.#recent, position);
    }
    return this.#recent;
  }

  #fill(window: Window, position: number): void {
    const whole = window.bytes.buffer.byteLength === windowLength ? Buffer.from(window.bytes.buffer) : newWindow();
    let got: number;
    try {
      got = readSync(this.#descriptor, whole, 0, windowLength, position === this.#offset ? null : position);
    } catch (error) {
      throw systemError('read', 'the archive', error, position);
    }
    if (position === this.#offset) this.#offset += got;
    if (got === 0) throw new ShoalError('truncated', `expected more at ${position}, found the end: it became shorter`);
    window.start = position;
    window.bytes = whole.subarray(0, got);
  }
}

type ReadCallback = (error: Error | null, length?: number) => void;

function newWindow(): Buffer {
  return Buffer.from(new ArrayBuffer(windowLength));
}

function holds({ start, bytes }: Window, position: number): boolean {
  return position >= start && position < start + bytes.length;
}
