/** A catalogue in native memory; freed when collected. */
export interface NativeCatalogue {
  readonly __catalogue: unique symbol;
}

/**
 * The columns of a catalogue in index order (docs/FORMAT.md §4.2), to be read only: they are its memory. Numbers of up to 53 bits have two words for each entry,
 * low and high; in columns of other rows they come as float64.
 */
export interface CatalogueColumns {
  /** Names back to back, in entry order. */
  readonly names: Uint8Array;
  readonly nameLengths: Uint8Array;
  readonly parents: Uint32Array;
  /** Row in `attributeRows`, or 0xFFFFFFFF for an alias. */
  readonly attributes: Uint32Array;
  /** Two words each, signed. */
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
  readonly hasChecksums: boolean;
}
