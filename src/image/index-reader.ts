import { nameProblem, showBytes, splitEntryPath } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import * as format from '../format/constants.ts';
import { type DirectoryRow, decodeDirectoryRow } from '../format/directories.ts';
import { entryWordAt } from '../format/entries.ts';
import { decodeExtents, type Extent, listLength } from '../format/extents.ts';
import {
  decodeFramePlace,
  decodeFrameTables,
  type FramePlace,
  type Frames,
  type FrameTable,
  framePlaceLength,
  frameRowAt,
} from '../format/frames.ts';
import { entryOfSlot, type SlotLayout, slotLayout, slotTag } from '../format/hash.ts';
import { decodeLinkTarget } from '../format/link-targets.ts';
import { getU64, viewOf } from '../format/little-endian.ts';
import { malformed } from '../format/malformed.ts';
import { decodeMetadata, type Metadata } from '../format/metadata.ts';
import { murmur3 } from '../format/murmur3.ts';
import { decodeVolumes, type Volume } from '../format/volumes.ts';
import { decodeXattrSet, type Xattr } from '../format/xattrs.ts';
import type { ByteSource } from '../io/byte-source.ts';
import { openFileSource } from '../io/file-source.ts';
import type { Entry } from './entry.ts';
import { readEntry, readListHeader, wrong } from './entry-reader.ts';
import { IndexBlocks } from './index-blocks.ts';

/**
 * An opened index: answers every question about names and metadata, reading only the blocks that it needs. Every method may throw a
 * ShoalError of a damaged index (`checksum`, `malformed`, `truncated`) or `io`. {@link close} it.
 */
export class IndexReader {
  readonly #blocks: IndexBlocks;
  readonly #slots: SlotLayout;
  #volumes: readonly Volume[] | undefined;
  #frameTables: readonly (FrameTable | undefined)[] = [];

  /** Opens the index at `path` with two reads, whatever its size. */
  static open(path: Buffer): IndexReader {
    const source = openFileSource(path, 'not-image');
    try {
      return new IndexReader(source);
    } catch (error) {
      source.close();
      throw error;
    }
  }

  /** Takes `source` over, unless it throws. */
  constructor(source: ByteSource) {
    this.#blocks = new IndexBlocks(source);
    this.#slots = slotLayout(this.entryCount);
    if (this.#blocks.section('frames').count > 0) this.volumes();
  }

  close(): void {
    this.#blocks.close();
  }

  /** The file, as shown to people. */
  get path(): string {
    return this.#blocks.source.path;
  }

  /** In bytes. */
  get length(): number {
    return this.#blocks.source.length;
  }

  /** Version of the format: `1.0`. */
  get formatVersion(): string {
    return `${format.major}.${this.#blocks.header.minor}`;
  }

  /** 16 bytes that say what the image holds (docs/FORMAT.md §5). */
  get id(): Buffer {
    return this.#blocks.header.id;
  }

  /** The root included. */
  get entryCount(): number {
    return this.#blocks.section('entries').count;
  }

  /** Entry `number`, an alias as itself. */
  get(number: number): Entry {
    const entry = readEntry(this.#blocks, number);
    if (number === 0 && entry.kind !== 'directory')
      throw wrong(this.#blocks, 0, 5, 'a directory as the root', entry.kind ?? 'an alias');
    return entry;
  }

  /** Entry `number`, or the one that it is an alias of. */
  resolve(number: number): Entry {
    const entry = this.get(number);
    if (!entry.alias) return entry;
    const target = this.get(entry.target);
    if (target.alias || target.kind === 'directory') {
      throw wrong(this.#blocks, number, 2, 'an alias of no alias and no directory', `entry ${entry.target}`);
    }
    return target;
  }

  /** The last component of an entry's path; empty for the root. */
  name(number: number): Buffer {
    const name = this.#nameBytes(number);
    this.#checkName(number, name);
    return Buffer.from(name);
  }

  /** The directory that an entry is in; the root is its own parent. */
  parent(number: number): number {
    const entry = this.get(number);
    if (number === 0) return 0;
    const parent = entry.kind === 'directory' ? entry.parent : this.#lastDirectoryUpTo(number);
    if (parent < number) {
      const { kind, firstChild, childCount } = this.get(parent);
      if (kind === 'directory' && number >= firstChild && number < firstChild + childCount) return parent;
    }
    throw wrong(this.#blocks, number, 1, 'a directory that holds it', `entry ${parent}`);
  }

  /** `a/b/c`; empty for the root. */
  entryPath(number: number): Buffer {
    const names: Buffer[] = [];
    // Ends, because a parent's number is lower than its child's.
    for (let entry = number; entry !== 0; entry = this.parent(entry)) names.push(this.name(entry), Buffer.from('/'));
    return Buffer.concat(names.slice(0, -1).reverse());
  }

  /** The entry called `name` in `directory` (an alias as itself), or undefined. */
  lookup(directory: Entry, name: Uint8Array): number | undefined {
    if (name.length > format.maxNameLength) return undefined;
    const hash = murmur3(name, 0, name.length, directory.number);
    const tag = slotTag(hash, this.#slots);
    const { buckets } = this.#slots;
    for (
      let probed = 0, bucket = hash % buckets;
      probed < buckets;
      probed++, bucket = bucket + 1 === buckets ? 0 : bucket + 1
    ) {
      const { words, at } = this.#blocks.words('hash', bucket * format.bucketLength);
      for (let slot = at; slot < at + format.bucketSlots; slot++) {
        if (words[slot] === 0) return undefined;
        const entry = entryOfSlot(words[slot], tag, this.#slots);
        if (entry < directory.firstChild || entry >= directory.firstChild + directory.childCount) continue;
        const found = this.#nameBytes(entry);
        if (found.compare(name) !== 0) continue;
        this.#checkName(entry, found);
        return entry;
      }
    }
    return undefined;
  }

  /** The entry at a path within the image, without following symbolic links; undefined if there is none. Throws `usage` for a path that can be none. */
  resolvePath(path: Buffer): Entry | undefined {
    let entry = this.get(0);
    for (const name of splitEntryPath(path)) {
      const number = entry.kind === 'directory' ? this.lookup(entry, name) : undefined;
      if (number === undefined) return undefined;
      entry = this.get(number);
    }
    return entry;
  }

  /** The entries in `directory`, sorted by the bytes of their names, aliases as themselves. */
  *children(directory: Entry): Generator<Entry> {
    const end = directory.firstChild + directory.childCount;
    for (let number = directory.firstChild; number < end; number++) yield this.get(number);
  }

  /** Where a symbolic link points. */
  linkTarget(link: Entry): Buffer {
    if (link.kind !== 'symlink')
      throw new ShoalError('usage', `expected a symbolic link, found entry ${link.number}`, { path: this.path });
    return decodeLinkTarget(
      this.#blocks.bytes('linkTargets', link.offset, link.size),
      this.#blocks.place('linkTargets', link.offset),
    );
  }

  /** The extents of a file's content: one of a plain file, none of an empty one; each lies within its volume. */
  extents(file: Entry): readonly Extent[] {
    if (file.kind !== 'file')
      throw new ShoalError('usage', `expected a file, found entry ${file.number}`, { path: this.path });
    const extents = file.volume === format.extentListVolume ? this.#listedExtents(file) : plainExtents(file);
    for (const { volume, offset, length } of extents) {
      const limit = this.plainLength(volume);
      if (limit === undefined || offset + length > limit) {
        throw wrong(
          this.#blocks,
          file.number,
          2,
          `extents within ${limit ?? 'one of the volumes'}`,
          `${length} bytes at ${offset} of volume ${volume}`,
        );
      }
    }
    return extents;
  }

  /** CRC32C of a chunk of a large file. */
  chunkChecksum(row: number): number {
    return viewOf(this.#blocks.bytes('checksums', row * 4, 4)).getUint32(0, true);
  }

  /** Entries and bytes below `directory`, at any depth. */
  totals(directory: Entry): { bytes: number; entries: number } {
    const row = this.#directoryRow(directory.directoryRow);
    if (
      row.entry !== directory.number ||
      row.firstChild !== directory.firstChild ||
      !Number.isSafeInteger(row.bytes + row.entries)
    ) {
      throw malformed(
        this.#blocks.place('directories', directory.directoryRow * format.directoryRowLength),
        `expected the sums of entry ${directory.number}, found ${row.bytes} bytes and ${row.entries} entries of entry ${row.entry}`,
      );
    }
    return { bytes: row.bytes, entries: row.entries };
  }

  /** The extended attributes of an entry that is no alias, sorted by name. */
  xattrs({ xattrs: set }: Entry): Xattr[] {
    if (set === format.noXattrs) return [];
    return decodeXattrSet(
      (at, length) => this.#blocks.bytes('xattrs', set + at, length),
      this.#blocks.place('xattrs', set),
    );
  }

  volumes(): readonly Volume[] {
    const { length, count } = this.#blocks.section('volumes');
    if (this.#volumes !== undefined) return this.#volumes;
    const place = this.#blocks.place('volumes');
    const volumes = decodeVolumes(this.#blocks.bytes('volumes', 0, length), count, place);
    const rows = this.#blocks.section('frames').count;
    if (rows > 0) {
      const read = (at: number, size: number) => this.#blocks.bytes('frames', at, size);
      this.#frameTables = decodeFrameTables(volumes, rows, read, this.#blocks.place('frames'));
    } else if (volumes.some(({ codec }) => codec === format.codecZstd)) {
      throw malformed(place, 'expected the frames of a compressed volume, found none');
    }
    this.#volumes = volumes;
    return volumes;
  }

  /** How volume `row` is divided into frames; undefined where it is not compressed. */
  frameTable(row: number): FrameTable | undefined {
    this.volumes();
    return this.#frameTables[row];
  }

  /** Length of what tar reads of volume `row`: of the volume itself, or of what it decompresses to. Undefined: there is no such volume. */
  plainLength(row: number): number | undefined {
    return this.frameTable(row)?.plainLength ?? this.volumes()[row]?.length;
  }

  /** Where frame `frame` of volume `row` lies in its file, with this table. */
  frame(row: number, table: FrameTable, frame: number): FramePlace {
    const at = frameRowAt(table.firstRow + frame);
    const bytes = this.#blocks.bytes('frames', at, framePlaceLength);
    return decodeFramePlace(bytes, table, this.volumes()[row]?.length ?? 0, this.#blocks.place('frames', at));
  }

  /** {@link volumes}, each with the checksums of its pieces and the places of its frames, where the index has them. */
  volumesInFull(): Volume[] {
    let at = 0;
    return this.volumes().map((described, row) => {
      const table = this.frameTable(row);
      const volume = { ...described, ...(table && { frames: this.#framesOf(row, table) }) };
      if ((volume.flags & format.volumeHasPieces) === 0) return volume;
      const length = Math.ceil((table?.plainLength ?? volume.length) / format.pieceLength) * 4;
      const pieces = Uint8Array.from(this.#blocks.bytes('pieces', at, length));
      at += length;
      return { ...volume, pieces: new Uint32Array(pieces.buffer) };
    });
  }

  #framesOf(row: number, table: FrameTable): Frames {
    const count = Math.ceil(table.plainLength / table.frameLength);
    const offsets = new Float64Array(count + 1);
    for (let frame = 0; frame < count; frame++) {
      const { offset, length } = this.frame(row, table, frame);
      offsets[frame] = offset;
      offsets[frame + 1] = offset + length;
    }
    return { plainLength: table.plainLength, frameLength: table.frameLength, offsets };
  }

  metadata(): Metadata {
    return decodeMetadata(
      this.#blocks.bytes('metadata', 0, this.#blocks.section('metadata').length),
      this.#blocks.place('metadata'),
    );
  }

  /** A view of the name as it stands. */
  #nameBytes(number: number): Buffer {
    if (number >= this.entryCount) this.get(number);
    const { words, at } = this.#blocks.words('entries', entryWordAt(number) * 4);
    const group = this.#blocks.bytes('nameGroups', Math.floor(number / format.nameGroupEntries) * 8, 8);
    return this.#blocks.bytes('names', getU64(viewOf(group), 0) + (words[at] & 0xffffff), words[at] >>> 24);
  }

  /** Names that a kernel or an extraction would take for something else must not leave the index. */
  #checkName(number: number, name: Buffer): void {
    const problem = number === 0 ? (name.length === 0 ? undefined : 'the root has one') : nameProblem(name);
    if (problem !== undefined)
      throw wrong(this.#blocks, number, 0, 'a name that an entry can have', `"${showBytes(name)}": ${problem}`);
  }

  #directoryRow(row: number): DirectoryRow {
    return decodeDirectoryRow(
      this.#blocks.bytes('directories', row * format.directoryRowLength, format.directoryRowLength),
    );
  }

  /** The entry of the last row of `directories` with a first child up to `number`. */
  #lastDirectoryUpTo(number: number): number {
    let low = 0;
    let found = 0;
    for (let high = this.#blocks.section('directories').count; low < high; ) {
      const middle = Math.floor((low + high) / 2);
      const row = this.#directoryRow(middle);
      if (row.firstChild <= number) {
        found = row.entry;
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return found;
  }

  #listedExtents(file: Entry): Extent[] {
    const { count, size } = readListHeader(this.#blocks, file.number, file.offset);
    const at = file.offset + format.extentListHeaderLength;
    const rows = this.#blocks.bytes('extents', at, listLength(count) - format.extentListHeaderLength);
    return decodeExtents(rows, size, this.#blocks.place('extents', at));
  }
}

function plainExtents({ size, offset, volume }: Entry): Extent[] {
  return size === 0 ? [] : [{ fileOffset: 0, length: size, offset, volume }];
}
