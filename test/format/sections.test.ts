import { describe, expect, it } from 'vitest';
import { isShoalError } from '../../src/base/errors.ts';
import { decodeAttributesRow, encodeAttributes } from '../../src/format/attributes.ts';
import { BlockChecksums } from '../../src/format/blocks.ts';
import type { IndexColumns } from '../../src/format/columns.ts';
import { crc32c } from '../../src/format/crc32c.ts';
import { decodeDirectoryRow, encodeDirectories } from '../../src/format/directories.ts';
import { decodeEntry, encodeEntries, entryWordAt } from '../../src/format/entries.ts';
import { decodeExtentListHeader, decodeExtents, encodeExtents } from '../../src/format/extents.ts';
import { entryOfSlot, slotLayout, slotTag } from '../../src/format/hash.ts';
import { decodeHeader, encodeHeader } from '../../src/format/header.ts';
import { decodeMetadata, encodeMetadata } from '../../src/format/metadata.ts';
import { decodeVolumes, encodeVolumes } from '../../src/format/volumes.ts';
import { decodeWideRow, encodeWide } from '../../src/format/wide.ts';
import { decodeXattrSet, encodeXattrSet } from '../../src/format/xattrs.ts';
import { anyVolume } from '../support/encode-image.ts';
import { idOf, indexBytes, joined, wideColumn } from '../support/index-bytes.ts';
import { columnsOf, directory, file, type ModelNode, symlink } from '../support/model-tree.ts';

const place = { path: 'test.shoal', offset: 0 };

/** The encoded row of the only child of the root. */
function encodedChild(node: ModelNode) {
  const columns = columnsOf(directory('', [node]));
  const { parts } = encodeEntries(columns, encodeExtents(columns));
  return decodeEntry(new Uint32Array(new Uint8Array(joined(parts)).buffer), entryWordAt(1));
}

describe('an entry', () => {
  it.each([
    { size: 1, offset: 0, seconds: 0, nanoseconds: 0, checksum: 0 },
    { size: 2 ** 40 - 1, offset: 2 ** 48 - 1, seconds: 2 ** 33 - 1, nanoseconds: 999_999_999, checksum: 0xffffffff },
    { size: 2 ** 32, offset: 2 ** 32, seconds: -(2 ** 33), nanoseconds: 1, checksum: 1 },
    { size: 2 ** 32 - 1, offset: 2 ** 32 - 1, seconds: -1, nanoseconds: 536_870_912, checksum: 0x80000000 },
    { size: 131073, offset: 512, seconds: 2 ** 32, nanoseconds: 0, checksum: 7 },
  ])('comes back from its row: %j', (fields) => {
    expect(encodedChild(file('x'.repeat(255), fields.size, fields.offset, fields))).toMatchObject({
      ...fields,
      volume: 0,
      nameLength: 255,
      nameOffset: 0,
    });
  });

  it('has no place if it is an empty file', () => {
    expect(encodedChild(file('empty', 0, 12345))).toMatchObject({ size: 0, offset: 0, volume: 0 });
  });

  it('leaves its time and attributes to a wide row where its own words are too small', () => {
    for (const seconds of [2 ** 33, -(2 ** 33) - 1, Number.MAX_SAFE_INTEGER]) {
      const node = file('f', 1, 0, { seconds, nanoseconds: 5 });
      expect(encodedChild(node)).toMatchObject({ attributes: 0xffffff, seconds: 0, nanoseconds: 0 });
      const { bytes, count } = encodeWide(columnsOf(directory('', [node])));
      expect(count).toBe(1);
      expect(decodeWideRow(bytes)).toEqual({ entry: 1, attributes: 1, seconds, nanoseconds: 5 });
    }
  });

  it('has a wide row where the attributes have too many rows', () => {
    const columns = columnsOf(directory('', [file('f', 1, 0)]));
    columns.attributes[1] = 0xfffffe;
    expect(decodeWideRow(encodeWide(columns).bytes)).toMatchObject({ entry: 1, attributes: 0xfffffe });
    columns.attributes[1] = 0xfffffd;
    expect(encodeWide(columns).count).toBe(0);
  });

  it('is refused where its volume is too long', () => {
    expect(() => encodedChild(file('f', 1, 2 ** 48))).toThrow(
      expect.toSatisfy((error) => isShoalError(error, 'unsupported')),
    );
  });
});

describe('an entry table', () => {
  it('comes in parts, and each entry at its place', () => {
    const files = Array.from({ length: 70_000 }, (_, number) => file(String(100_000 + number), number, number * 512));
    const columns = columnsOf(directory('', files));
    const { parts, length, count } = encodeEntries(columns, encodeExtents(columns));
    const lengths: number[] = [];
    const bytes = joined(
      (function* () {
        for (const part of parts) {
          lengths.push(part.length);
          yield part;
        }
      })(),
    );
    expect(lengths.length).toBe(3);
    expect([count, bytes.length]).toEqual([70_001, length]);
    const words = new Uint32Array(Uint8Array.from(bytes).buffer);
    files.forEach(({ size, offset }, number) => {
      const { size: foundSize, offset: foundOffset, nameLength } = decodeEntry(words, entryWordAt(number + 1));
      if (foundSize !== size || foundOffset !== (size === 0 ? 0 : offset) || nameLength !== 6)
        expect.fail(`entry ${number + 1}: ${foundSize} bytes at ${foundOffset}, a name of ${nameLength}`);
    });
  });
});

describe('rows', () => {
  it('of attributes come back', () => {
    const rows = [0o177777, 0xffffffff, 0xfffffffe, 1, 0x12345678];
    const { bytes } = encodeAttributes({ ...columnsOf(directory('', [])), attributeRows: Uint32Array.from(rows) });
    expect(Object.values(decodeAttributesRow(bytes))).toEqual(rows);
  });

  it('of directories come back, with sums beyond 32 bits', () => {
    const deep = directory('d', [file('big', 2 ** 50, 0), symlink('l', 'abc'), directory('e', [])]);
    const { bytes } = encodeDirectories(columnsOf(directory('', [deep])));
    expect(decodeDirectoryRow(bytes.subarray(0, 24))).toEqual({
      entry: 0,
      firstChild: 1,
      bytes: 2 ** 50 + 3,
      entries: 4,
    });
    expect(decodeDirectoryRow(bytes.subarray(24, 48))).toEqual({
      entry: 1,
      firstChild: 2,
      bytes: 2 ** 50 + 3,
      entries: 3,
    });
    expect(decodeDirectoryRow(bytes.subarray(48, 72))).toEqual({ entry: 3, firstChild: 5, bytes: 0, entries: 0 });
  });

  it('of extents come back, also of a file without holes that an entry has no room for', () => {
    const columns = columnsOf(
      directory('', [
        file('holes', 2 ** 52, 0, {
          extents: [
            [0, 1, 2 ** 40],
            [2 ** 51, 2 ** 51, 7],
          ],
        }),
        file('large', 2 ** 40, 512),
        file('nothing', 100, 0, { extents: [] }),
      ]),
    );
    const { section, entries, offsets } = encodeExtents(columns);
    expect(entries).toEqual([1, 2, 3]);
    expect(offsets).toEqual([0, 80, 128]);
    const list = (at: number) => {
      const header = decodeExtentListHeader(section.bytes.subarray(at), place);
      return {
        ...header,
        rows: decodeExtents(section.bytes.subarray(at + 16, at + 16 + header.count * 32), header.size, place),
      };
    };
    expect(list(0)).toMatchObject({
      size: 2 ** 52,
      rows: [
        { fileOffset: 0, offset: 2 ** 40 },
        { fileOffset: 2 ** 51, length: 2 ** 51 },
      ],
    });
    expect(list(80)).toEqual({
      count: 1,
      size: 2 ** 40,
      rows: [{ fileOffset: 0, length: 2 ** 40, offset: 512, volume: 0 }],
    });
    expect(list(128)).toEqual({ count: 0, size: 100, rows: [] });
  });

  it('of volumes come back', () => {
    const volumes = [
      {
        ...anyVolume,
        length: Number.MAX_SAFE_INTEGER,
        codec: 0xffffffff,
        flags: 0xffffffff,
        sha256: new Uint8Array(32).fill(1),
      },
      { ...anyVolume, name: Buffer.alloc(4095, 'x'), length: 0 },
    ];
    expect(decodeVolumes(encodeVolumes(volumes).bytes, 2, place)).toEqual(volumes);
    for (const name of ['', 'x'.repeat(4096)]) {
      expect(() => encodeVolumes([{ ...anyVolume, name: Buffer.from(name) }])).toThrow(
        expect.toSatisfy((error) => isShoalError(error, 'usage')),
      );
    }
  });

  it('of metadata come back, sorted by code unit', () => {
    const metadata = { z: '1', ä: '2', A: '"\\\n', '\u{1F41F}': '3', '\uFFFD': '4' };
    const { bytes, count } = encodeMetadata(metadata);
    expect(count).toBe(5);
    expect(decodeMetadata(bytes, place)).toEqual(metadata);
    expect(Object.keys(JSON.parse(Buffer.from(bytes).toString()))).toEqual(['A', 'z', 'ä', '\u{1F41F}', '\uFFFD']);
    for (const text of ['[]', '{"a":1}', '{', '"', 'null', '\xff']) {
      expect(() => decodeMetadata(Buffer.from(text, 'latin1'), place)).toThrow(
        expect.toSatisfy((error) => isShoalError(error, 'malformed')),
      );
    }
  });

  it('of extended attributes come back sorted', () => {
    const xattrs = [
      { name: Buffer.from('user.b'), value: Buffer.alloc(70_000, 1) },
      { name: Buffer.alloc(255, 'a'), value: Buffer.alloc(0) },
    ];
    const bytes = encodeXattrSet(xattrs);
    expect(decodeXattrSet((at, length) => bytes.subarray(at, at + length), place)).toEqual([xattrs[1], xattrs[0]]);
  });
});

describe('the hash', () => {
  it.each([
    [1, 1, 1, 8],
    [2, 1, 1, 8],
    [13, 1, 4, 8],
    [14, 2, 4, 8],
    [2 ** 24, Math.ceil((2 ** 24 - 1) / 12), 24, 8],
    [2 ** 24 + 1, Math.ceil(2 ** 24 / 12), 25, 7],
    [2 ** 31 + 1, Math.ceil(2 ** 31 / 12), 32, 0],
    [0xfffffffe, Math.ceil(0xfffffffd / 12), 32, 0],
  ])('of %d entries has %d buckets, %d bits of entry and %d of fingerprint', (entries, buckets, indexBits, tagBits) => {
    const layout = slotLayout(entries);
    expect(layout).toEqual({ buckets, indexBits, tagBits });
    const tag = slotTag(0xdeadbeef, layout);
    const slot = tagBits === 0 ? entries - 1 : tag * 2 ** indexBits + (entries - 1);
    expect(entryOfSlot(slot, tag, layout)).toBe(entries - 1);
    if (tagBits > 0 && entries > 1) expect(entryOfSlot(slot, tag ^ 1, layout)).toBe(0);
  });
});

describe('the block table', () => {
  it('has a checksum for each 65 536 bytes, however they come in parts', () => {
    const bytes = Buffer.from(Array.from({ length: 150_000 }, (_, i) => (i * 31) & 255));
    const parts = [
      bytes.subarray(0, 1),
      bytes.subarray(1, 65_536),
      bytes.subarray(65_536, 140_000),
      bytes.subarray(140_000),
    ];
    const expected = [0, 65_536, 131_072].map((at) => crc32c(bytes.subarray(at, at + 65_536)));
    const blocks = new BlockChecksums();
    for (const part of parts) blocks.add(part);
    expect([...new Uint32Array(blocks.table().bytes.buffer)]).toEqual(expected);
  });
});

describe('the header', () => {
  const index = indexBytes(columnsOf(directory('', [file('a', 1, 0)])), [anyVolume]);

  it('comes back', () => {
    const header = decodeHeader(index.subarray(0, 4096), index.length, 'x');
    expect(Buffer.from(encodeHeader(header))).toEqual(index.subarray(0, 4096));
  });

  it('leaves out sections that are empty and may be absent, and skips unknown ones', () => {
    const { sections } = decodeHeader(index.subarray(0, 4096), index.length, 'x');
    const names = ['blocks', 'entries', 'names', 'nameGroups', 'hash', 'attributes', 'directories', 'volumes'];
    expect(sections.map(({ name }) => name)).toEqual(names);
    const head = Buffer.from(index.subarray(0, 4096));
    head.writeUInt32LE(9, 28);
    head.writeUInt32LE(99, 64 + 8 * 32);
    head.writeUInt32LE(0, 60);
    head.writeUInt32LE(crc32c(head), 60);
    expect(decodeHeader(head, index.length, 'x').sections.length).toBe(8);
  });

  it('is not changed by being read', () => {
    const before = Buffer.from(index.subarray(0, 4096));
    decodeHeader(index.subarray(0, 4096), index.length, 'x');
    expect(index.subarray(0, 4096)).toEqual(before);
  });
});

describe('columns that contradict the format are refused:', () => {
  const columns = columnsOf(directory('', [file('a', 1, 0), file('b', 1, 0), directory('c', [file('d', 1, 0)])]));
  it.each<[string, Partial<IndexColumns>]>([
    ['a root with a name', { nameLengths: Uint8Array.of(1, 0, 1, 1, 1) }],
    ['an empty name', { nameLengths: Uint8Array.of(0, 0, 2, 1, 1) }],
    ['names left over', { nameLengths: Uint8Array.of(0, 1, 1, 1, 0) }],
    ['a slash', { names: Buffer.from('a/cd') }],
    ['a NUL', { names: Buffer.from('ab\0d') }],
    ['a dot', { names: Buffer.from('.bcd') }],
    ['names that are not sorted', { names: Buffer.from('bacd') }],
    ['a name twice', { names: Buffer.from('aacd') }],
    ['children elsewhere', { offsets: wideColumn([1, 0, 0, 5, 0]) }],
    ['a child too many', { counts: Uint32Array.of(3, 0, 0, 2, 0) }],
    ['a child too few', { counts: Uint32Array.of(3, 0, 0, 0, 0) }],
    ['another parent', { parents: Uint32Array.of(0, 0, 0, 0, 0) }],
  ])('%s', (_, change) => {
    expect(() => idOf({ ...columns, ...change })).toThrow(expect.toSatisfy((error) => isShoalError(error, 'internal')));
  });
});
