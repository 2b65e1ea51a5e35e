import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aliasRow, fileTypes, type IndexColumns } from '../../src/format/columns.ts';
import * as format from '../../src/format/constants.ts';
import { crc32c } from '../../src/format/crc32c.ts';
import { encodeXattrSet, type Xattr } from '../../src/format/xattrs.ts';
import { indexBytes, wideColumn } from './index-bytes.ts';

/** A tree that exists nowhere but in an image, so that a test can say exactly what is in it. */
export type Node = {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly nlink?: number;
  readonly seconds?: number;
  readonly nanoseconds?: number;
  readonly xattrs?: readonly Xattr[];
} & (
  | { readonly kind: 'directory'; readonly children: Readonly<Record<string, Node>> | ReadonlyMap<Buffer, Node> }
  | { readonly kind: 'file'; readonly content: Buffer }
  /** `data` lies at offsets of a content of `size` bytes; the rest is holes. */
  | { readonly kind: 'sparse'; readonly size: number; readonly data: ReadonlyMap<number, Buffer> }
  | { readonly kind: 'link'; readonly target: Buffer }
  | { readonly kind: 'character' | 'block'; readonly major: number; readonly minor: number }
  | { readonly kind: 'fifo' }
  /** `of` is another node of the tree, in an earlier directory or earlier in this one. */
  | { readonly kind: 'alias'; readonly of: Node }
);

export interface BuiltImage {
  readonly index: string;
  readonly volume: string;
  /** Entry number of each node. */
  readonly numbers: ReadonlyMap<Node, number>;
  /** Where each file's first stored byte lies in the volume. */
  readonly offsets: ReadonlyMap<Node, number>;
}

interface Row {
  readonly name: Buffer;
  readonly node: Node;
  readonly parent: number;
  firstChild: number;
  childCount: number;
}

const types = { ...fileTypes, sparse: fileTypes.file, alias: 0 };

/** Writes `NAME.shoal` and `NAME.tar` into `directory`. The volume has no headers of a tar, which a reader never looks at. */
export function buildImage(
  directory: string,
  name: string,
  root: Node,
  options: { readonly checksums?: boolean; readonly codec?: number; readonly volumeName?: string } = {},
): BuiltImage {
  const rows = breadthFirst(root);
  const numbers = new Map(rows.map(({ node }, number) => [node, number]));
  const volume = new VolumeBuilder(options.checksums ?? true);
  const columns = encodeColumns(rows, numbers, volume);
  const bytes = volume.bytes();
  const index = indexBytes(
    columns,
    [
      {
        name: Buffer.from(options.volumeName ?? `${name}.tar`),
        length: bytes.length,
        codec: options.codec ?? format.codecNone,
        flags: (options.checksums ?? true) ? format.volumeHasChecksums : 0,
        headChecksum: crc32c(bytes.subarray(0, format.volumeProbeLength)),
        tailChecksum: crc32c(bytes.subarray(Math.max(0, bytes.length - format.volumeProbeLength))),
      },
    ],
    { 'shoal.version': 'test' },
  );
  const built = { index: join(directory, `${name}.shoal`), volume: join(directory, `${name}.tar`) };
  writeFileSync(built.index, index);
  writeFileSync(built.volume, bytes);
  return { ...built, numbers, offsets: volume.offsets };
}

/** Entries in index order, docs/FORMAT.md §4.2. */
function breadthFirst(root: Node): Row[] {
  const rows: Row[] = [{ name: Buffer.alloc(0), node: root, parent: 0, firstChild: 0, childCount: 0 }];
  for (let number = 0; number < rows.length; number++) {
    const row = rows[number];
    if (row?.node.kind !== 'directory') continue;
    const { children } = row.node;
    const named: [Buffer, Node][] =
      children instanceof Map
        ? [...children]
        : Object.entries(children).map(([name, node]): [Buffer, Node] => [Buffer.from(name), node]);
    named.sort(([a], [b]) => Buffer.compare(a, b));
    row.firstChild = rows.length;
    row.childCount = named.length;
    for (const [name, node] of named) rows.push({ name, node, parent: number, firstChild: 0, childCount: 0 });
  }
  return rows;
}

function encodeColumns(rows: readonly Row[], numbers: ReadonlyMap<Node, number>, volume: VolumeBuilder): IndexColumns {
  const count = rows.length;
  const attributeRows: number[] = [];
  const attributeKeys = new Map<string, number>();
  const xattrSets: Uint8Array[] = [];
  const targets: Buffer[] = [];
  const columns = {
    names: Buffer.concat(rows.map(({ name }) => name)),
    nameLengths: Uint8Array.from(rows, ({ name }) => name.length),
    parents: Uint32Array.from(rows, ({ parent }) => parent),
    attributes: new Uint32Array(count),
    seconds: Float64Array.from(rows, ({ node }) => node.seconds ?? 0),
    nanoseconds: Uint32Array.from(rows, ({ node }) => node.nanoseconds ?? 0),
    sizes: new Float64Array(count),
    offsets: new Float64Array(count),
    volumes: new Uint16Array(0),
    counts: Uint32Array.from(rows, ({ childCount }) => childCount),
    checksums: new Uint32Array(count),
  };
  const lengthOf = (parts: readonly Uint8Array[]) => parts.reduce((sum, part) => sum + part.length, 0);

  rows.forEach(({ node, firstChild }, number) => {
    if (node.kind === 'alias') {
      columns.attributes[number] = aliasRow;
      columns.offsets[number] = numbers.get(node.of) ?? 0;
      return;
    }
    let set = format.noXattrs;
    if (node.xattrs !== undefined) {
      set = lengthOf(xattrSets);
      xattrSets.push(encodeXattrSet(node.xattrs));
    }
    const attributes = [
      (types[node.kind] << 12) | (node.mode ?? 0o644),
      node.uid ?? 0,
      node.gid ?? 0,
      node.nlink ?? 1,
      set,
    ];
    const key = attributes.join();
    if (!attributeKeys.has(key)) {
      attributeKeys.set(key, attributeKeys.size);
      attributeRows.push(...attributes);
    }
    columns.attributes[number] = attributeKeys.get(key) ?? 0;

    if (node.kind === 'directory') {
      columns.offsets[number] = firstChild;
    } else if (node.kind === 'file') {
      columns.sizes[number] = node.content.length;
      columns.offsets[number] = volume.add(node, node.content);
      columns.checksums[number] = volume.checksum(node.content);
    } else if (node.kind === 'sparse') {
      columns.sizes[number] = node.size;
      volume.addSparse(node, number);
      columns.checksums[number] = volume.checksum(Buffer.concat([...node.data.values()]));
    } else if (node.kind === 'link') {
      columns.sizes[number] = node.target.length;
      columns.offsets[number] = lengthOf(targets);
      targets.push(node.target);
    } else if (node.kind !== 'fifo') {
      columns.offsets[number] = node.major;
      columns.counts[number] = node.minor;
    }
  });
  return {
    ...columns,
    seconds: wideColumn(columns.seconds),
    sizes: wideColumn(columns.sizes),
    offsets: wideColumn(columns.offsets),
    attributeRows: Uint32Array.from(attributeRows),
    xattrSets: Buffer.concat(xattrSets),
    linkTargets: Buffer.concat(targets),
    extentLists: Float64Array.from(volume.extentLists),
    chunkChecksums: Uint32Array.from(volume.chunkChecksums),
  };
}

class VolumeBuilder {
  readonly offsets = new Map<Node, number>();
  readonly chunkChecksums: number[] = [];
  readonly extentLists: number[] = [];
  readonly #parts: Buffer[] = [Buffer.alloc(1000, 'head')];
  readonly #hasChecksums: boolean;
  #length = 1000;

  constructor(hasChecksums: boolean) {
    this.#hasChecksums = hasChecksums;
  }

  /** Appends bytes, and some behind them that belong to no entry; returns where they lie. */
  add(node: Node, bytes: Buffer): number {
    const offset = this.#length;
    if (!this.offsets.has(node)) this.offsets.set(node, offset);
    for (const part of [bytes, Buffer.alloc(13, 'between')]) {
      this.#parts.push(part);
      this.#length += part.length;
    }
    return offset;
  }

  addSparse(node: Node & { readonly kind: 'sparse' }, number: number): void {
    this.extentLists.push(number, node.size, node.data.size);
    for (const [fileOffset, bytes] of node.data) {
      this.extentLists.push(fileOffset, bytes.length, this.add(node, bytes), 0);
    }
  }

  /** Word 1 of the entry of a file with these stored bytes (docs/FORMAT.md §4.2). */
  checksum(stored: Buffer): number {
    if (!this.#hasChecksums) return 0;
    if (stored.length <= format.chunkLength) return crc32c(stored);
    const first = this.chunkChecksums.length;
    for (let at = 0; at < stored.length; at += format.chunkLength) {
      this.chunkChecksums.push(crc32c(stored.subarray(at, at + format.chunkLength)));
    }
    return first;
  }

  bytes(): Buffer {
    return Buffer.concat([...this.#parts, Buffer.alloc(5000, 'tail')]);
  }
}
