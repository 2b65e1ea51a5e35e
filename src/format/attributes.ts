import { attributeWords, type IndexColumns } from './columns.ts';
import * as format from './constants.ts';
import { bytesOf, viewOf } from './little-endian.ts';
import type { Section } from './section.ts';

/** Attributes that many entries share (docs/FORMAT.md §4.5). */
export interface AttributesRow {
  /** As `st_mode`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** As `st_nlink` of the source. */
  readonly nlink: number;
  /** Byte offset of the set in `xattrs`, or `noXattrs`. */
  readonly xattrs: number;
}

const rowWords = format.attributesRowLength / 4;

export function encodeAttributes({ attributeRows }: IndexColumns): Section {
  const count = attributeRows.length / attributeWords;
  const words = new Uint32Array(count * rowWords);
  for (let row = 0; row < count; row++) {
    for (let word = 0; word < attributeWords; word++)
      words[row * rowWords + word] = attributeRows[row * attributeWords + word];
  }
  return { name: 'attributes', count, bytes: bytesOf(words) };
}

export function decodeAttributesRow(bytes: Uint8Array): AttributesRow {
  const view = viewOf(bytes);
  return {
    mode: view.getUint32(0, true),
    uid: view.getUint32(4, true),
    gid: view.getUint32(8, true),
    nlink: view.getUint32(12, true),
    xattrs: view.getUint32(16, true),
  };
}
