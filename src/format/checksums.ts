import type { IndexColumns } from './columns.ts';
import { bytesOf } from './little-endian.ts';
import type { Section } from './section.ts';

/** CRC32C of each chunk of the large files (docs/FORMAT.md §4.9). Shares the column's memory. */
export function encodeChecksums({ chunkChecksums }: IndexColumns): Section {
  return { name: 'checksums', count: chunkChecksums.length, bytes: bytesOf(chunkChecksums) };
}
