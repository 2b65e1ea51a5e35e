import { aliasRow, attributeWords, type IndexColumns } from '../../src/format/columns.ts';
import * as format from '../../src/format/constants.ts';
import { encodeXattrSet, type Xattr } from '../../src/format/xattrs.ts';
import { wideColumn } from './index-bytes.ts';

/** A node of a tree in memory, from which columns are made; what is not given is as unknown. */
export interface ModelNode {
  readonly name: Buffer;
  /** With its type bits. */
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly nlink?: number;
  readonly seconds?: number;
  readonly nanoseconds?: number;
  readonly xattrs?: readonly Xattr[];
  /** Directory. */
  readonly children?: readonly ModelNode[];
  /** File: length of its content and where it lies. */
  readonly size?: number;
  readonly offset?: number;
  readonly checksum?: number;
  /** File with holes: fileOffset, length, offset of each data range. */
  readonly extents?: readonly (readonly [number, number, number, number?])[];
  /** Symbolic link. */
  readonly target?: Buffer;
  /** Device. */
  readonly device?: readonly [major: number, minor: number];
  /** A further name of this node, which stands earlier in index order; all else but the name is ignored. */
  readonly aliasOf?: ModelNode;
}

export interface ModelEntry {
  readonly node: ModelNode;
  readonly parent: number;
  /** Of its children; 0 if it is no directory. */
  firstChild: number;
}

/** The nodes in index order: breadth first, children sorted by the bytes of their names. */
export function indexOrder(root: ModelNode): ModelEntry[] {
  const entries: ModelEntry[] = [{ node: root, parent: 0, firstChild: 0 }];
  for (let number = 0; number < entries.length; number++) {
    const { node } = entries[number];
    if (node.children === undefined || node.aliasOf !== undefined) continue;
    entries[number].firstChild = entries.length;
    const sorted = [...node.children].sort((a, b) => Buffer.compare(a.name, b.name));
    for (const child of sorted) entries.push({ node: child, parent: number, firstChild: 0 });
  }
  return entries;
}

/** The columns of a tree, as the native core makes them. */
export function columnsOf(root: ModelNode, chunkChecksums: readonly number[] = []): IndexColumns {
  const entries = indexOrder(root);
  const numbers = new Map(entries.map(({ node }, number) => [node, number]));
  const rows = new SharedRows();
  const columns = {
    names: Buffer.concat(entries.map(({ node }) => node.name)),
    nameLengths: Uint8Array.from(entries, ({ node }) => node.name.length),
    parents: Uint32Array.from(entries, ({ parent }) => parent),
    attributes: new Uint32Array(entries.length),
    seconds: new Float64Array(entries.length),
    nanoseconds: new Uint32Array(entries.length),
    sizes: new Float64Array(entries.length),
    offsets: new Float64Array(entries.length),
    volumes: new Uint16Array(0),
    counts: new Uint32Array(entries.length),
    checksums: new Uint32Array(entries.length),
  };
  const targets: Buffer[] = [];
  const lists: number[] = [];
  let targetOffset = 0;
  entries.forEach(({ node, firstChild }, number) => {
    if (node.aliasOf !== undefined) {
      columns.attributes[number] = aliasRow;
      columns.offsets[number] = numbers.get(node.aliasOf) ?? Number.NaN;
      return;
    }
    columns.attributes[number] = rows.rowOf(node);
    columns.seconds[number] = node.seconds ?? 0;
    columns.nanoseconds[number] = node.nanoseconds ?? 0;
    columns.sizes[number] = node.target?.length ?? node.size ?? 0;
    columns.checksums[number] = node.checksum ?? 0;
    columns.offsets[number] = node.device?.[0] ?? node.offset ?? 0;
    columns.counts[number] = node.device?.[1] ?? 0;
    if (node.children !== undefined) {
      columns.offsets[number] = firstChild;
      columns.counts[number] = node.children.length;
    } else if (node.target !== undefined) {
      columns.offsets[number] = targetOffset;
      targetOffset += node.target.length;
      targets.push(node.target);
    } else if (node.extents !== undefined) {
      const rows = node.extents.flatMap(([fileOffset, length, offset, volume = 0]) => [
        fileOffset,
        length,
        offset,
        volume,
      ]);
      lists.push(number, node.size ?? 0, node.extents.length, ...rows);
    }
  });
  return {
    ...columns,
    seconds: wideColumn(columns.seconds),
    sizes: wideColumn(columns.sizes),
    offsets: wideColumn(columns.offsets),
    attributeRows: Uint32Array.from(rows.words),
    xattrSets: Buffer.concat(rows.sets),
    linkTargets: Buffer.concat(targets),
    extentLists: Float64Array.from(lists),
    chunkChecksums: Uint32Array.from(chunkChecksums),
  };
}

/** Rows of attributes and sets of extended attributes, each once, in the order of first use. */
class SharedRows {
  readonly words: number[] = [];
  readonly sets: Buffer[] = [];
  readonly #rows = new Map<string, number>();
  readonly #sets = new Map<string, number>();
  #setsLength = 0;

  rowOf(node: ModelNode): number {
    const words = [node.mode, node.uid ?? 0, node.gid ?? 0, node.nlink ?? 1, this.#setOf(node.xattrs ?? [])];
    const key = words.join();
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const row = this.words.length / attributeWords;
    this.words.push(...words);
    this.#rows.set(key, row);
    return row;
  }

  #setOf(xattrs: readonly Xattr[]): number {
    if (xattrs.length === 0) return format.noXattrs;
    const set = Buffer.from(encodeXattrSet(xattrs));
    const known = this.#sets.get(set.toString('latin1'));
    if (known !== undefined) return known;
    const offset = this.#setsLength;
    this.#sets.set(set.toString('latin1'), offset);
    this.sets.push(set);
    this.#setsLength += set.length;
    return offset;
  }
}

export function directory(
  name: string | Buffer,
  children: readonly ModelNode[],
  more: Partial<ModelNode> = {},
): ModelNode {
  return { name: Buffer.from(name), mode: 0o40755, nlink: 2, children, ...more };
}

export function file(name: string | Buffer, size: number, offset: number, more: Partial<ModelNode> = {}): ModelNode {
  return { name: Buffer.from(name), mode: 0o100644, size, offset, ...more };
}

export function symlink(name: string | Buffer, target: string | Buffer, more: Partial<ModelNode> = {}): ModelNode {
  return { name: Buffer.from(name), mode: 0o120777, target: Buffer.from(target), ...more };
}

export function alias(name: string | Buffer, aliasOf: ModelNode): ModelNode {
  return { name: Buffer.from(name), mode: 0, aliasOf };
}
