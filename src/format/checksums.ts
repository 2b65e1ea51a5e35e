import type { IndexColumns } from './columns.ts';
import * as format from './constants.ts';
import { bytesOf } from './little-endian.ts';
import type { Section } from './section.ts';

/** CRC32C of each chunk of the large files (docs/FORMAT.md §4.9). Shares the column's memory. */
export function encodeChecksums({ chunkChecksums }: IndexColumns): Section {
  return { name: 'checksums', count: chunkChecksums.length, bytes: bytesOf(chunkChecksums) };
}

/** Rows of a file with so many stored bytes: none where its checksum stands in its entry. */
export function checksumRows(storedBytes: number): number {
  return storedBytes > format.chunkLength ? Math.ceil(storedBytes / format.chunkLength) : 0;
}
