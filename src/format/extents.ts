import { aliasRow, fileTypes, type IndexColumns, typesOfRows, wideNumber } from './columns.ts';
import * as format from './constants.ts';
import { getU64, set64, viewOf } from './little-endian.ts';
import { malformed, type Place } from './malformed.ts';
import type { Section } from './section.ts';

/** Where bytes of a file lie; the file's offsets that no extent covers are zeros. */
export interface Extent {
  /** In the file's content. */
  readonly fileOffset: number;
  readonly length: number;
  /** In the volume. */
  readonly offset: number;
  /** Row in `volumes`. */
  readonly volume: number;
}

/** The encoded extent lists and whose they are. */
export interface ListedExtents {
  readonly section: Section;
  /** Files with a list, ascending, and the byte offset of each one's list. */
  readonly entries: readonly number[];
  readonly offsets: readonly number[];
}

/** The first size that does not fit an entry (docs/FORMAT.md §4.2 words 4 and 5). */
const listedSize = 2 ** 40;
/** Numbers before the rows of a list in `IndexColumns.extentLists`, and per row. */
const columnHead = 3;
const columnRow = 4;

/** Lists of the files with holes and of those too large for an entry (docs/FORMAT.md §4.8). */
export function encodeExtents(columns: IndexColumns): ListedExtents {
  const lists = [...listsOf(columns)];
  const bytes = new Uint8Array(lists.reduce((sum, list) => sum + listLength(list.rows.length / columnRow), 0));
  const view = viewOf(bytes);
  const offsets: number[] = [];
  let at = 0;
  for (const { size, rows } of lists) {
    offsets.push(at);
    view.setUint32(at, rows.length / columnRow, true);
    set64(view, at + 8, size);
    at += format.extentListHeaderLength;
    for (let row = 0; row < rows.length; row += columnRow) {
      set64(view, at, rows[row]);
      set64(view, at + 8, rows[row + 1]);
      set64(view, at + 16, rows[row + 2]);
      view.setUint32(at + 24, rows[row + 3], true);
      at += format.extentRowLength;
    }
  }
  const section: Section = { name: 'extents', count: bytes.length / 8, bytes };
  return { section, entries: lists.map((list) => list.entry), offsets };
}

interface List {
  readonly entry: number;
  readonly size: number;
  /** fileOffset, length, offset, volume of each row. */
  readonly rows: Float64Array;
}

function* listsOf(columns: IndexColumns): Generator<List> {
  const { sizes, offsets, volumes, attributes, extentLists } = columns;
  const types = typesOfRows(columns);
  let next = 0;
  for (let entry = 0; entry < attributes.length; entry++) {
    if (extentLists[next] === entry && next < extentLists.length) {
      const end = next + columnHead + extentLists[next + 2] * columnRow;
      yield { entry, size: extentLists[next + 1], rows: extentLists.subarray(next + columnHead, end) };
      next = end;
    } else if (
      wideNumber(sizes, entry) >= listedSize &&
      attributes[entry] !== aliasRow &&
      types[attributes[entry]] === fileTypes.file
    ) {
      const size = wideNumber(sizes, entry);
      yield { entry, size, rows: Float64Array.of(0, size, wideNumber(offsets, entry), volumes[entry] ?? 0) };
    }
  }
}

/** Bytes of a list with so many rows. */
export function listLength(rows: number): number {
  return format.extentListHeaderLength + rows * format.extentRowLength;
}

/** Row count and content length, from the first 16 bytes of a list. */
export function decodeExtentListHeader(bytes: Uint8Array, place: Place): { count: number; size: number } {
  const view = viewOf(bytes);
  const size = getU64(view, 8);
  if (size > Number.MAX_SAFE_INTEGER) throw malformed(place, `expected a size below 2^53, found ${size}`, 8);
  return { count: view.getUint32(0, true), size };
}

/** The rows of a list for a content of `size` bytes; throws `malformed` unless they are sorted, do not overlap and end within it. */
export function decodeExtents(bytes: Uint8Array, size: number, place: Place): Extent[] {
  const view = viewOf(bytes);
  const extents: Extent[] = [];
  let end = 0;
  for (let at = 0; at < bytes.length; at += format.extentRowLength) {
    const extent: Extent = {
      fileOffset: getU64(view, at),
      length: getU64(view, at + 8),
      offset: getU64(view, at + 16),
      volume: view.getUint32(at + 24, true),
    };
    if (extent.length === 0) throw malformed(place, 'expected an extent with bytes, found an empty one', at + 8);
    if (extent.fileOffset < end)
      throw malformed(place, `expected an extent from ${end} on, found one at ${extent.fileOffset}`, at);
    end = extent.fileOffset + extent.length;
    if (end > size)
      throw malformed(place, `expected an extent within ${size} bytes, found one that ends at ${end}`, at);
    extents.push(extent);
  }
  return extents;
}
