import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { showBytes } from '../base/entry-path.ts';
import { type ErrorCode, ShoalError } from '../base/errors.ts';
import type { ByteSource } from './byte-source.ts';
import { systemError } from './system-error.ts';
import { withRetry } from './with-retry.ts';

/**
 * Opens a regular file for exact reads, which are synchronous: an answer from an index costs a few of them, less than going through a
 * thread and back. Throws `missing`, `permission`, `io`, and `otherwise` if it is no regular file.
 */
export function openFileSource(path: Buffer, otherwise: ErrorCode): ByteSource {
  const shown = showBytes(path);
  let descriptor: number;
  try {
    // Not to wait for a writer if it is a FIFO.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    throw systemError('open', shown, error);
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile())
      throw new ShoalError(otherwise, 'expected a regular file, found something else', { path: shown });
    return withRetry(new FileSource(descriptor, shown, status.size));
  } catch (error) {
    closeSync(descriptor);
    throw error instanceof ShoalError ? error : systemError('stat', shown, error);
  }
}

class FileSource implements ByteSource {
  readonly path: string;
  readonly length: number;
  readonly #descriptor: number;

  constructor(descriptor: number, path: string, length: number) {
    this.#descriptor = descriptor;
    this.path = path;
    this.length = length;
  }

  read(offset: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      let got: number;
      try {
        got = readSync(this.#descriptor, into, done, into.length - done, offset + done);
      } catch (error) {
        throw systemError('read', this.path, error, offset + done);
      }
      if (got === 0) {
        const message = `expected ${into.length} bytes at ${offset}, found ${done}; the file was cut short, copy it anew`;
        throw new ShoalError('truncated', message, { path: this.path, offset: offset + done });
      }
      done += got;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
