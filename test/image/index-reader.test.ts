import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isShoalError } from '../../src/base/errors.ts';
import { IndexReader } from '../../src/image/index-reader.ts';
import { arbitraryTree } from '../support/arbitrary-tree.ts';
import { anyVolume, encodeIndex } from '../support/encode-image.ts';
import { MemorySource } from '../support/memory-source.ts';
import { alias, directory, file, indexOrder, type ModelNode, symlink } from '../support/model-tree.ts';

const open = (root: ModelNode, metadata = {}) => new IndexReader(new MemorySource(encodeIndex(root, { metadata })));

describe('an index', () => {
  it('answers like the tree that it was made of', () => {
    fc.assert(
      fc.property(arbitraryTree, (root) => {
        const index = open(root);
        const entries = indexOrder(root);
        const nodes = entries.map(({ node }) => node);
        expect(index.entryCount).toBe(entries.length);
        entries.forEach(({ node, parent }, number) => {
          expect(index.name(number)).toEqual(node.name);
          expect(index.parent(number)).toBe(parent);
          expect(index.resolvePath(index.entryPath(number))?.number).toBe(number);
          if (number > 0) expect(index.lookup(index.get(parent), node.name)).toBe(number);
          expectSame(index, number, node, nodes);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('lists the children of a directory in the order of their names, and sums up what is below', () => {
    fc.assert(
      fc.property(arbitraryTree, (root) => {
        const index = open(root);
        indexOrder(root).forEach(({ node }, number) => {
          if (node.children === undefined) return;
          const entry = index.get(number);
          const names = [...index.children(entry)].map((child) => index.name(child.number));
          expect(names).toEqual([...node.children].map((child) => child.name).sort(Buffer.compare));
          expect(index.totals(entry)).toEqual(sumsBelow(node));
        });
      }),
    );
  });

  it('finds no name that is not there', () => {
    fc.assert(
      fc.property(arbitraryTree, fc.uint8Array({ maxLength: 300 }), (root, bytes) => {
        const index = open(root);
        indexOrder(root).forEach(({ node }, number) => {
          if (node.children?.some((child) => child.name.equals(bytes)) ?? true) return;
          expect(index.lookup(index.get(number), bytes)).toBeUndefined();
        });
      }),
    );
  });

  it('is opened with two reads, and a question reads the blocks that it needs', () => {
    const files = Array.from({ length: 20_000 }, (_, i) => file(`file-${i}`, 10, i * 10));
    const source = new MemorySource(encodeIndex(directory('', files)));
    const index = new IndexReader(source);
    expect(source.reads.map(({ length }) => length)).toEqual([
      4096,
      4 * Math.ceil((source.reads[1].offset - 4096) / 65536),
    ]);
    expect(index.resolvePath(Buffer.from('file-12345'))?.offset).toBe(123_450);
    expect(source.reads.length).toBeLessThanOrEqual(2 + 6);
    const reads = source.reads.length;
    index.resolvePath(Buffer.from('file-12345'));
    expect(source.reads.length).toBe(reads);
  });

  it('finds every name of a directory that spans several name groups', () => {
    const files = Array.from({ length: 140_000 }, (_, i) => file(`${i}`, 0, 0));
    const root = directory('', files);
    const index = open(root);
    indexOrder(root).forEach(({ node }, number) => {
      if (number > 0 && index.lookup(index.get(0), node.name) !== number) throw new Error(`lost ${node.name}`);
    });
  });

  it('takes its columns over unchanged into an id that depends on nothing else', () => {
    const root = directory('', [file('a', 3, 512), symlink('b', 'a')]);
    const one = new IndexReader(new MemorySource(encodeIndex(root)));
    const other = new IndexReader(
      new MemorySource(
        encodeIndex(root, { volumes: [{ ...anyVolume, name: Buffer.from('/else') }], metadata: { key: 'value' } }),
      ),
    );
    expect(one.id).toEqual(other.id);
    expect(open(directory('', [file('a', 4, 512), symlink('b', 'a')])).id).not.toEqual(one.id);
  });

  it('gives metadata and volumes back', () => {
    const volumes = [
      anyVolume,
      { ...anyVolume, name: Buffer.from([0xff]), sha256: new Uint8Array(32).fill(7), length: 0, flags: 0 },
    ];
    const metadata = { 'shoal.version': '1.2.3', ä: '\n"', z: '' };
    const index = new IndexReader(new MemorySource(encodeIndex(directory('', []), { volumes, metadata })));
    expect(index.volumes()).toEqual(volumes);
    expect(index.metadata()).toEqual(metadata);
    expect(open(directory('', [])).metadata()).toEqual({});
  });

  it('goes from a further name to the entry that it names', () => {
    const target = file('a', 5, 512);
    const index = open(directory('', [target, directory('d', [alias('b', target)])]));
    const found = index.resolvePath(Buffer.from('d/b'));
    expect(found).toMatchObject({ alias: true, target: 1 });
    expect(index.resolve(found?.number ?? 0)).toMatchObject({ number: 1, size: 5 });
  });

  it('has no entry behind a file, a link or the last entry', () => {
    const index = open(directory('', [file('a', 5, 512), symlink('l', '.')]));
    expect(index.resolvePath(Buffer.from('a/b'))).toBeUndefined();
    expect(index.resolvePath(Buffer.from('l/a'))).toBeUndefined();
    expect(() => index.get(3)).toThrow(expect.toSatisfy((error) => isShoalError(error, 'malformed')));
  });
});

function expectSame(index: IndexReader, number: number, node: ModelNode, nodes: readonly ModelNode[]): void {
  const entry = index.get(number);
  expect(entry.alias).toBe(node.aliasOf !== undefined);
  if (node.aliasOf !== undefined) {
    expect(entry.target).toBe(nodes.indexOf(node.aliasOf));
    return;
  }
  expect(entry).toMatchObject({
    mode: node.mode,
    uid: node.uid ?? 0,
    gid: node.gid ?? 0,
    nlink: node.nlink ?? 1,
    seconds: node.seconds ?? 0,
    nanoseconds: node.nanoseconds ?? 0,
    size: node.target?.length ?? node.size ?? 0,
    deviceMajor: node.device?.[0] ?? 0,
    deviceMinor: node.device?.[1] ?? 0,
  });
  expect(index.xattrs(entry)).toEqual([...(node.xattrs ?? [])].sort((a, b) => Buffer.compare(a.name, b.name)));
  if (node.target !== undefined) expect(index.linkTarget(entry)).toEqual(node.target);
  if (entry.kind !== 'file') return;
  if (entry.size > 0) expect(entry.checksum).toBe(node.checksum ?? 0);
  const whole = node.size ? [[0, node.size, node.offset ?? 0] as const] : [];
  const extents = (node.extents ?? whole).map(([fileOffset, length, offset]) => ({
    fileOffset,
    length,
    offset,
    volume: 0,
  }));
  expect(index.extents(entry)).toEqual(extents);
}

function sumsBelow(node: ModelNode): { bytes: number; entries: number } {
  return (node.children ?? []).reduce(
    (sum, child) => {
      const below = child.aliasOf === undefined ? sumsBelow(child) : { bytes: 0, entries: 0 };
      const own = child.aliasOf === undefined ? (child.target?.length ?? child.size ?? 0) : 0;
      return { bytes: sum.bytes + below.bytes + own, entries: sum.entries + below.entries + 1 };
    },
    { bytes: 0, entries: 0 },
  );
}
