/** In {@link IndexColumns.attributes}: the entry is an alias. */
export const aliasRow = 0xffffffff;

const twoTo32 = 2 ** 32;

/** Words of a row of {@link IndexColumns.attributeRows}. */
export const attributeWords = 5;

/**
 * What an index is encoded from: entries in index order (docs/FORMAT.md §4.2), column by column; entry 0 is the root. Numbers of up to 53 bits have two words
 * for each entry, low and high ({@link wideNumber}), as in native memory, which columns share; in columns of other rows they are float64.
 */
export interface IndexColumns {
  /** Names back to back, in entry order. */
  readonly names: Uint8Array;
  readonly nameLengths: Uint8Array;
  readonly parents: Uint32Array;
  /** Row in `attributeRows`, or {@link aliasRow}. */
  readonly attributes: Uint32Array;
  /** Two words each, signed ({@link wideSigned}). */
  readonly seconds: Uint32Array;
  readonly nanoseconds: Uint32Array;
  /** File: length of its content; symbolic link: of its target; else 0. Two words each. */
  readonly sizes: Uint32Array;
  /** File: offset in its volume; symbolic link: in `linkTargets`; directory: first child; device: major; alias: target entry. Two words each. */
  readonly offsets: Uint32Array;
  /** File: row of its volume; else 0. Empty: all files lie in the first one. */
  readonly volumes: Uint16Array;
  /** Directory: child count; device: minor number; else 0. */
  readonly counts: Uint32Array;
  /** File: word 1 of its entry; else 0. */
  readonly checksums: Uint32Array;
  /** mode, uid, gid, nlink, xattrs; five words a row, in the order of first use. */
  readonly attributeRows: Uint32Array;
  /** Encoded as docs/FORMAT.md §4.6. */
  readonly xattrSets: Uint8Array;
  readonly linkTargets: Uint8Array;
  /** Files with holes, sorted by entry: entry, content length, row count, then fileOffset, length, offset, volume of each row. */
  readonly extentLists: Float64Array;
  readonly chunkChecksums: Uint32Array;
}

/** The number in a row of a column of two words each; exact below 2^53. */
export function wideNumber(column: Uint32Array, row: number): number {
  return column[2 * row + 1] * twoTo32 + column[2 * row];
}

/** The same of numbers in two's complement. */
export function wideSigned(column: Uint32Array, row: number): number {
  return (column[2 * row + 1] | 0) * twoTo32 + column[2 * row];
}

/** Bits 12 to 15 of `st_mode`. */
export const fileTypes = { fifo: 1, character: 2, directory: 4, block: 6, file: 8, link: 10, socket: 12 } as const;

/** The file type of each row of `attributeRows`. */
export function typesOfRows(columns: IndexColumns): Uint8Array {
  const types = new Uint8Array(columns.attributeRows.length / attributeWords);
  for (let row = 0; row < types.length; row++) types[row] = (columns.attributeRows[row * attributeWords] >>> 12) & 15;
  return types;
}
