import { ShoalError } from '../base/errors.ts';
import { aliasRow, fileTypes, type IndexColumns, typesOfRows, wideNumber, wideSigned } from './columns.ts';
import * as format from './constants.ts';
import type { ListedExtents } from './extents.ts';
import { bytesOf } from './little-endian.ts';
import type { StreamedSection } from './section.ts';
import { needsWide } from './wide.ts';

const twoTo32 = 2 ** 32;
const twoTo48 = 2 ** 48;
const pageWords = format.pageLength / 4;
/** Entries encoded at a time, in whole pages: 1 MiB of them. */
const partEntries = 256 * format.pageEntries;

/** Place of word 0 of an entry, in words from the section's start; word *w* is `w × pageEntries` behind it. */
export function entryWordAt(entry: number): number {
  return Math.floor(entry / format.pageEntries) * pageWords + (entry % format.pageEntries);
}

/** Bytes of the entry table of so many entries. */
export function entriesLength(entries: number): number {
  return Math.ceil(entries / format.pageEntries) * format.pageLength;
}

/** The entry table (docs/FORMAT.md §4.2). `lists` are the extent lists; their files take size and place from there. */
export function encodeEntries(columns: IndexColumns, lists: ListedExtents): StreamedSection {
  const count = columns.parents.length;
  return { name: 'entries', count, length: entriesLength(count), parts: encodePages(columns, lists) };
}

function* encodePages(columns: IndexColumns, lists: ListedExtents): Generator<Uint8Array> {
  const entries = columns.parents.length;
  const words = new Uint32Array(entriesLength(Math.min(entries, partEntries)) / 4);
  const types = typesOfRows(columns);
  let nameOffset = 0;
  let directories = 0;
  let list = 0;
  for (let first = 0; first < entries; first += partEntries) {
    const end = Math.min(entries, first + partEntries);
    words.fill(0);
    for (let entry = first; entry < end; entry++) {
      if (entry % format.nameGroupEntries === 0) nameOffset = 0;
      const at = entryWordAt(entry - first);
      const row = columns.attributes[entry];
      const offset = wideNumber(columns.offsets, entry);
      words[at] = nameOffset | (columns.nameLengths[entry] << 24);
      nameOffset += columns.nameLengths[entry];
      if (row === aliasRow) {
        setPlace(words, at, offset, 0);
        setAttributes(words, at, 0, format.aliasAttributes);
        continue;
      }

      let size = 0;
      switch (types[row]) {
        case fileTypes.directory:
          words[at + format.pageEntries] = columns.parents[entry];
          setPair(words, at, offset, columns.counts[entry]);
          size = directories++;
          break;
        case fileTypes.file:
          words[at + format.pageEntries] = columns.checksums[entry];
          if (lists.entries[list] === entry) {
            setPlace(words, at, lists.offsets[list++], format.extentListVolume);
          } else {
            size = wideNumber(columns.sizes, entry);
            if (size > 0) setPlace(words, at, offset, columns.volumes[entry] ?? 0);
          }
          break;
        case fileTypes.link:
          size = wideNumber(columns.sizes, entry);
          setPlace(words, at, offset, 0);
          break;
        case fileTypes.character:
        case fileTypes.block:
          setPair(words, at, offset, columns.counts[entry]);
          break;
      }
      const seconds = wideSigned(columns.seconds, entry);
      if (needsWide(row, seconds)) {
        setAttributes(words, at, size, format.wideAttributes);
      } else {
        setAttributes(words, at, size, row);
        setTime(words, at, seconds, columns.nanoseconds[entry]);
      }
    }
    yield bytesOf(words).subarray(0, entriesLength(end - first));
  }
}

function setPlace(words: Uint32Array, at: number, offset: number, volume: number): void {
  if (offset >= twoTo48)
    throw new ShoalError(
      'unsupported',
      `expected offsets below 2^48 in a volume, found ${offset}; make several images`,
    );
  setPair(words, at, offset, Math.floor(offset / twoTo32) + volume * 65536);
}

function setPair(words: Uint32Array, at: number, low: number, high: number): void {
  words[at + 2 * format.pageEntries] = low;
  words[at + 3 * format.pageEntries] = high;
}

function setAttributes(words: Uint32Array, at: number, size: number, row: number): void {
  words[at + 4 * format.pageEntries] = size;
  words[at + 5 * format.pageEntries] = Math.floor(size / twoTo32) | (row << 8);
}

function setTime(words: Uint32Array, at: number, seconds: number, nanoseconds: number): void {
  const high = Math.floor(seconds / twoTo32);
  words[at + 6 * format.pageEntries] = nanoseconds | (high << 30);
  words[at + 7 * format.pageEntries] = seconds;
}

/** The eight words of an entry as they stand in the table; which fields mean what depends on its kind. */
export interface EntryRow {
  readonly nameOffset: number;
  readonly nameLength: number;
  /** Checksum of a small file, row in `checksums` of a large one, parent of a directory. */
  readonly checksum: number;
  /** Words 2 and 3: directory: first child and child count; device: major and minor number. */
  readonly low: number;
  readonly high: number;
  /** Words 2 and 3 of all others. */
  readonly offset: number;
  readonly volume: number;
  readonly size: number;
  readonly attributes: number;
  readonly nanoseconds: number;
  readonly seconds: number;
}

/** Decodes the entry whose word 0 is at `at` of `words`. */
export function decodeEntry(words: Uint32Array, at: number): EntryRow {
  const name = words[at];
  const low = words[at + 2 * format.pageEntries];
  const high = words[at + 3 * format.pageEntries];
  const sizeAndRow = words[at + 5 * format.pageEntries];
  const time = words[at + 6 * format.pageEntries];
  return {
    nameOffset: name & 0xffffff,
    nameLength: name >>> 24,
    checksum: words[at + format.pageEntries],
    low,
    high,
    offset: (high & 0xffff) * twoTo32 + low,
    volume: high >>> 16,
    size: (sizeAndRow & 0xff) * twoTo32 + words[at + 4 * format.pageEntries],
    attributes: sizeAndRow >>> 8,
    nanoseconds: time & 0x3fffffff,
    seconds: (time >> 30) * twoTo32 + words[at + 7 * format.pageEntries],
  };
}
