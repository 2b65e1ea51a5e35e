import { aliasRow, type IndexColumns, wideSigned } from './columns.ts';
import * as format from './constants.ts';
import { getI64, set64, viewOf } from './little-endian.ts';
import type { Section } from './section.ts';

const twoTo33 = 2 ** 33;

/** Attributes and mtime of an entry that the entry table has no room for (docs/FORMAT.md §4.10). */
export interface WideRow {
  readonly entry: number;
  readonly attributes: number;
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Whether an entry with this row of attributes and this mtime needs a wide row. */
export function needsWide(attributes: number, seconds: number): boolean {
  return seconds >= twoTo33 || seconds < -twoTo33 || attributes >= format.aliasAttributes;
}

export function encodeWide(columns: IndexColumns): Section {
  const wide: number[] = [];
  for (let entry = 0; entry < columns.attributes.length; entry++) {
    const row = columns.attributes[entry];
    if (row !== aliasRow && needsWide(row, wideSigned(columns.seconds, entry))) wide.push(entry);
  }
  const bytes = new Uint8Array(wide.length * format.wideRowLength);
  const view = viewOf(bytes);
  wide.forEach((entry, row) => {
    const at = row * format.wideRowLength;
    view.setUint32(at, entry, true);
    view.setUint32(at + 4, columns.attributes[entry], true);
    set64(view, at + 8, wideSigned(columns.seconds, entry));
    view.setUint32(at + 16, columns.nanoseconds[entry], true);
  });
  return { name: 'wide', count: wide.length, bytes };
}

export function decodeWideRow(bytes: Uint8Array): WideRow {
  const view = viewOf(bytes);
  return {
    entry: view.getUint32(0, true),
    attributes: view.getUint32(4, true),
    seconds: getI64(view, 8),
    nanoseconds: view.getUint32(16, true),
  };
}
