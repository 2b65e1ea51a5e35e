import * as format from './constants.ts';
import { crc32c } from './crc32c.ts';
import { bytesOf } from './little-endian.ts';
import type { Section } from './section.ts';

/** Blocks of an index whose block table is at `tableOffset` (docs/FORMAT.md §4.1). */
export function blockCount(tableOffset: number): number {
  return Math.ceil((tableOffset - format.headerLength) / format.blockSize);
}

/** Makes the block table of what stands between header and table, given in parts of any length. */
export class BlockChecksums {
  readonly #whole: number[] = [];
  #last = 0;
  #room: number = format.blockSize;

  add(part: Uint8Array): void {
    for (let at = 0; at < part.length; ) {
      const end = Math.min(part.length, at + this.#room);
      this.#last = crc32c(part.subarray(at, end), this.#last);
      this.#room -= end - at;
      at = end;
      if (this.#room > 0) continue;
      this.#whole.push(this.#last);
      this.#last = 0;
      this.#room = format.blockSize;
    }
  }

  table(): Section {
    const checksums = Uint32Array.from(this.#room < format.blockSize ? [...this.#whole, this.#last] : this.#whole);
    return { name: 'blocks', count: checksums.length, bytes: bytesOf(checksums) };
  }
}
