import { ShoalError } from '../../src/base/errors.ts';
import type { ByteSource } from '../../src/io/byte-source.ts';

/** A source over bytes in memory that records the reads. */
export class MemorySource implements ByteSource {
  readonly path = 'memory.shoal';
  readonly length: number;
  readonly reads: { offset: number; length: number }[] = [];
  closed = false;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.length = bytes.length;
  }

  read(offset: number, into: Uint8Array): void {
    this.reads.push({ offset, length: into.length });
    if (offset + into.length > this.length) {
      throw new ShoalError('truncated', 'expected more bytes, found the end', { path: this.path, offset: this.length });
    }
    into.set(this.#bytes.subarray(offset, offset + into.length));
  }

  close(): void {
    this.closed = true;
  }
}
