import { decodeAttributesRow } from '../format/attributes.ts';
import * as format from '../format/constants.ts';
import { decodeEntry, type EntryRow, entryWordAt } from '../format/entries.ts';
import { decodeExtentListHeader, listLength } from '../format/extents.ts';
import { malformed } from '../format/malformed.ts';
import { decodeWideRow, type WideRow } from '../format/wide.ts';
import { type Entry, entryKinds } from './entry.ts';
import type { IndexBlocks } from './index-blocks.ts';

const maxNanoseconds = 999_999_999;
/** Type and permission bits of `st_mode`. */
const maxMode = 0o177777;

type Draft = { -readonly [Field in keyof Entry]: Entry[Field] };

/** Decodes entry `number` and checks every field against docs/FORMAT.md §4. */
export function readEntry(blocks: IndexBlocks, number: number): Entry {
  const count = blocks.section('entries').count;
  if (!Number.isInteger(number) || number < 0 || number >= count) {
    throw malformed(blocks.place('entries'), `expected an entry below ${count}, found ${number}`);
  }
  const { words, at } = blocks.words('entries', entryWordAt(number) * 4);
  const row = decodeEntry(words, at);
  const entry = blankEntry(number);
  if (row.attributes === format.aliasAttributes) {
    if (row.offset >= number) throw wrong(blocks, number, 2, 'an alias of a lower entry', row.offset);
    entry.alias = true;
    entry.target = row.offset;
    return entry;
  }

  const wide = row.attributes === format.wideAttributes ? findWide(blocks, number) : undefined;
  const { attributes, seconds, nanoseconds } = wide ?? row;
  if (nanoseconds > maxNanoseconds) {
    throw wrong(blocks, number, 6, `at most ${maxNanoseconds} nanoseconds`, nanoseconds);
  }
  if (!Number.isSafeInteger(seconds)) throw wrong(blocks, number, 5, 'an mtime within 2^53 seconds', seconds);
  entry.seconds = seconds;
  entry.nanoseconds = nanoseconds;
  setAttributes(blocks, entry, attributes);
  setPlace(blocks, entry, row);
  return entry;
}

/** One shape for all entries: an object spread together from parts costs ten times as much. */
function blankEntry(number: number): Draft {
  return {
    number,
    alias: false,
    target: 0,
    kind: undefined,
    mode: 0,
    uid: 0,
    gid: 0,
    nlink: 0,
    xattrs: format.noXattrs,
    seconds: 0,
    nanoseconds: 0,
    size: 0,
    checksum: 0,
    offset: 0,
    volume: 0,
    parent: 0,
    firstChild: 0,
    childCount: 0,
    directoryRow: 0,
    deviceMajor: 0,
    deviceMinor: 0,
  };
}

function setAttributes(blocks: IndexBlocks, entry: Draft, row: number): void {
  const rows = blocks.section('attributes').count;
  if (row >= rows) throw wrong(blocks, entry.number, 5, `one of ${rows} rows of attributes`, row);
  const at = row * format.attributesRowLength;
  const shared = decodeAttributesRow(blocks.bytes('attributes', at, format.attributesRowLength));
  entry.kind = entryKinds[shared.mode >>> 12];
  if (shared.mode > maxMode || entry.kind === undefined) {
    throw malformed(blocks.place('attributes', at), `expected a mode as in st_mode, found ${shared.mode}`);
  }
  entry.mode = shared.mode;
  entry.uid = shared.uid;
  entry.gid = shared.gid;
  entry.nlink = shared.nlink;
  entry.xattrs = shared.xattrs;
}

/** What words 1 to 5 say of an entry of this kind. */
function setPlace(blocks: IndexBlocks, entry: Draft, row: EntryRow): void {
  switch (entry.kind) {
    case 'file':
      setFile(blocks, entry, row);
      break;
    case 'directory':
      setDirectory(blocks, entry, row);
      break;
    case 'symlink': {
      const length = blocks.section('linkTargets').length;
      if (row.offset + row.size > length) {
        throw wrong(blocks, entry.number, 2, `a link target within ${length} bytes`, row.offset + row.size);
      }
      entry.size = row.size;
      entry.offset = row.offset;
      break;
    }
    case 'character':
    case 'block':
      entry.deviceMajor = row.low;
      entry.deviceMinor = row.high;
      break;
  }
}

/** The wide row of an entry; they are sorted by entry. */
function findWide(blocks: IndexBlocks, number: number): WideRow {
  let low = 0;
  for (let high = blocks.section('wide').count; low < high; ) {
    const middle = Math.floor((low + high) / 2);
    const row = decodeWideRow(blocks.bytes('wide', middle * format.wideRowLength, format.wideRowLength));
    if (row.entry === number) return row;
    if (row.entry < number) low = middle + 1;
    else high = middle;
  }
  throw wrong(blocks, number, 5, 'a row of it in section "wide"', 'none');
}

function setFile(blocks: IndexBlocks, entry: Draft, row: EntryRow): void {
  const volumes = blocks.section('volumes').count;
  if (row.volume === format.extentListVolume) {
    entry.size = readListHeader(blocks, entry.number, row.offset).size;
  } else {
    if (row.size > 0 && row.volume >= volumes) {
      throw wrong(blocks, entry.number, 3, `one of ${volumes} volumes`, row.volume);
    }
    entry.size = row.size;
  }
  entry.checksum = row.checksum;
  entry.offset = row.offset;
  entry.volume = row.volume;
}

/** Content length and row count of the extent list at `offset`, all of which lies in the section. */
export function readListHeader(blocks: IndexBlocks, number: number, offset: number): { size: number; count: number } {
  const length = blocks.section('extents').length;
  if (offset % 8 !== 0 || offset + format.extentListHeaderLength > length) {
    throw wrong(blocks, number, 2, `an extent list at a multiple of 8 within ${length} bytes`, offset);
  }
  const place = blocks.place('extents', offset);
  const header = decodeExtentListHeader(blocks.bytes('extents', offset, format.extentListHeaderLength), place);
  if (offset + listLength(header.count) > length) {
    throw malformed(place, `expected a list of extents within ${length} bytes, found ${header.count} rows`);
  }
  return header;
}

function setDirectory(blocks: IndexBlocks, entry: Draft, row: EntryRow): void {
  const { number } = entry;
  const entries = blocks.section('entries').count;
  const rows = blocks.section('directories').count;
  // A parent stands before its children, so no chain of parents or of children comes back.
  if (row.checksum > 0 && row.checksum >= number) throw wrong(blocks, number, 1, 'a parent before it', row.checksum);
  if (row.low <= number || row.low + row.high > entries) {
    throw wrong(blocks, number, 2, `children behind it within ${entries} entries`, `${row.high} from ${row.low} on`);
  }
  if (row.size >= rows) throw wrong(blocks, number, 4, `one of ${rows} rows of directories`, row.size);
  entry.parent = row.checksum;
  entry.firstChild = row.low;
  entry.childCount = row.high;
  entry.directoryRow = row.size;
}

/** The error for a word of an entry. */
export function wrong(
  blocks: IndexBlocks,
  number: number,
  word: number,
  expected: string,
  found: string | number,
): Error {
  const at = entryWordAt(number) * 4 + word * format.pageEntries * 4;
  return malformed(blocks.place('entries', at), `entry ${number}: expected ${expected}, found ${found}`);
}
