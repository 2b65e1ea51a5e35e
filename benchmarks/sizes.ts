/** How much data there is, and how often it is asked for. */
export interface Sizes {
  /** Files of the design's data set. */
  readonly files: number;
  /** Files of the tree of many real files. */
  readonly many: number;
  /** Files of the tree that is packed to see how much memory that takes. */
  readonly counted: number;
  /** A tree that the machine has anyway. */
  readonly standing: string;
  /** Bytes of the large file. */
  readonly large: number;
  /** Files in one directory. */
  readonly flat: number;
  /** Files of the huge image. */
  readonly huge: number;
  readonly trials: number;
  /** Random operations of a trial. */
  readonly operations: number;
}

/** Those of the design. */
export const fullSizes: Sizes = {
  files: 100_000,
  many: 1_000_000,
  counted: 10_000_000,
  standing: '/usr/share',
  large: 1536 * 2 ** 20,
  flat: 1_000_000,
  huge: 10_000_000,
  trials: 5,
  operations: 20_000,
};

/** Enough to see that everything runs. */
export const quickSizes: Sizes = {
  files: 5_000,
  many: 10_000,
  counted: 100_000,
  standing: '/usr/include/linux',
  large: 64 * 2 ** 20,
  flat: 100_000,
  huge: 1_000_000,
  trials: 1,
  operations: 2_000,
};
