import { chunkLength, volumeHasChecksums } from '../format/constants.ts';
import type { Entry, IndexReader } from '../index.ts';

/** The checksum that a file's content is held against when it is read. */
export interface ContentChecksum {
  readonly algorithm: 'crc32c';
  /** In bytes. */
  readonly chunkLength: number;
  /** Each has a checksum of its own. */
  readonly chunks: number;
  /** Eight hexadecimal digits, where there is one chunk. */
  readonly value?: string;
}

/** Undefined for an empty file, and where the volume has no checksums. */
export function contentChecksum(index: IndexReader, file: Entry): ContentChecksum | undefined {
  const extents = index.extents(file);
  const volumes = index.volumes();
  if (!extents.some(({ volume }) => (volumes[volume]?.flags ?? 0) & volumeHasChecksums)) return undefined;
  const chunks = Math.ceil(extents.reduce((sum, { length }) => sum + length, 0) / chunkLength);
  const value = file.checksum.toString(16).padStart(8, '0');
  return { algorithm: 'crc32c', chunkLength, chunks, ...(chunks === 1 && { value }) };
}
