import type { IndexColumns } from '../../src/format/columns.ts';
import { IndexEncoder } from '../../src/format/index-encoder.ts';
import type { Metadata } from '../../src/format/metadata.ts';
import type { Volume } from '../../src/format/volumes.ts';

/** A whole index in one piece. Volumes may depend on the id of what lies in them. */
export function indexBytes(
  columns: IndexColumns,
  volumes: readonly Volume[] | ((id: Buffer) => readonly Volume[]),
  metadata: Metadata = {},
): Buffer {
  const encoder = new IndexEncoder();
  const catalogue = joined(encoder.catalogue(columns));
  const rows = typeof volumes === 'function' ? volumes(encoder.id) : volumes;
  const bytes = Buffer.concat([catalogue, joined(encoder.end(rows, metadata))]);
  bytes.set(encoder.header());
  return bytes;
}

/** The id of an image with these entries. */
export function idOf(columns: IndexColumns): Buffer {
  const encoder = new IndexEncoder();
  joined(encoder.catalogue(columns));
  return encoder.id;
}

/** Parts that are valid one at a time, in one piece. */
export function joined(parts: Iterable<Uint8Array>): Buffer {
  return Buffer.concat(Array.from(parts, (part) => Uint8Array.from(part)));
}

/** Numbers as they stand in columns of two words each. */
export function wideColumn(numbers: Iterable<number>): Uint32Array {
  return new Uint32Array(BigInt64Array.from(Array.from(numbers, BigInt)).buffer);
}
