import * as format from './constants.ts';
import { crc32c } from './crc32c.ts';
import { bytesOf } from './little-endian.ts';
import type { Section } from './section.ts';

/** Blocks of an index whose block table is at `tableOffset` (docs/FORMAT.md §4.1). */
export function blockCount(tableOffset: number): number {
  return Math.ceil((tableOffset - format.headerLength) / format.blockSize);
}

/** The block table over what stands between header and table, given in parts. */
export function encodeBlocks(parts: readonly Uint8Array[]): Section {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const checksums = new Uint32Array(Math.ceil(length / format.blockSize));
  let block = 0;
  let room = format.blockSize;
  for (const part of parts) {
    for (let at = 0; at < part.length; ) {
      const end = Math.min(part.length, at + room);
      checksums[block] = crc32c(part.subarray(at, end), checksums[block]);
      room -= end - at;
      at = end;
      if (room === 0) {
        block++;
        room = format.blockSize;
      }
    }
  }
  return { name: 'blocks', count: checksums.length, bytes: bytesOf(checksums) };
}
