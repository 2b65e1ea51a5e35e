/** What the design asks of Shoal, by scenario. Where nothing is asked the table shows the ratio alone. */
export interface Budget {
  readonly scenario: string;
  /** The contender that Shoal is held against; absent for a bound on Shoal's own figure. */
  readonly than?: string;
  /** How many times as good as `than` Shoal must be; without `than`, the least figure. */
  readonly atLeast?: number;
  /** The largest figure; with `than`, the largest difference from it. */
  readonly atMost?: number;
}

/** Not larger than 1.05 times the other: at least this many times as good. */
const WITHIN_5_PERCENT = 1 / 1.05;

export const budgets: readonly Budget[] = [
  { scenario: 'pack', than: 'GNU tar', atLeast: 1.5 },
  { scenario: 'pack', than: 'mksquashfs, uncompressed', atLeast: 2 },
  { scenario: 'slow-metadata', than: 'GNU tar', atLeast: 20 },
  { scenario: 'pack-zstd', than: 'mksquashfs, zstd', atLeast: 1 },
  { scenario: 'pack-zstd-text', than: 'mksquashfs, zstd', atLeast: 1 },
  { scenario: 'pack-zstd15-text', than: 'mksquashfs, zstd', atLeast: 1 },
  { scenario: 'pack-many', than: 'GNU tar', atLeast: 1.5 },
  { scenario: 'pack-many', than: 'mksquashfs, uncompressed', atLeast: 2 },
  { scenario: 'pack-memory', atMost: 150 },
  { scenario: 'size-zstd3', than: 'mksquashfs, zstd', atLeast: WITHIN_5_PERCENT },
  { scenario: 'size-zstd3-text', than: 'mksquashfs, zstd', atLeast: WITHIN_5_PERCENT },
  { scenario: 'size-zstd3-standing', than: 'mksquashfs, zstd', atLeast: WITHIN_5_PERCENT },
  { scenario: 'size-zstd3-copies', than: 'mksquashfs, zstd', atLeast: WITHIN_5_PERCENT },
  { scenario: 'size-zstd15', than: 'mksquashfs, zstd', atLeast: WITHIN_5_PERCENT },
  { scenario: 'size-zstd15-text', than: 'mksquashfs, zstd', atLeast: WITHIN_5_PERCENT },
  { scenario: 'size-zstd15-standing', than: 'mksquashfs, zstd', atLeast: WITHIN_5_PERCENT },
  { scenario: 'size-zstd15-copies', than: 'mksquashfs, zstd', atLeast: WITHIN_5_PERCENT },
  { scenario: 'read-zstd', than: 'squashfuse_ll', atLeast: 1 },
  { scenario: 'read4-zstd', than: 'squashfuse_ll', atLeast: 1 },
  { scenario: 'read-zstd-text', than: 'squashfuse_ll', atLeast: 1 },
  { scenario: 'read4-zstd-text', than: 'squashfuse_ll', atLeast: 1 },
  { scenario: 'index', atLeast: 500_000 },
  { scenario: 'mount', atMost: 250 },
  { scenario: 'memory', atMost: 100 },
  { scenario: 'find', than: 'squashfuse_ll', atLeast: 12 },
  { scenario: 'find', than: 'plain directory', atLeast: 0.7 },
  { scenario: 'stat', than: 'squashfuse_ll', atLeast: 3 },
  { scenario: 'read', than: 'squashfuse_ll', atLeast: 3 },
  { scenario: 'read4', than: 'squashfuse_ll', atLeast: 2.5 },
  { scenario: 'sequential', than: 'squashfuse_ll', atLeast: 1.5 },
  { scenario: 'sequential', than: 'kernel squashfs', atLeast: 1.5 },
  { scenario: 'sequential-cold', than: 'plain directory', atLeast: 0.9 },
  { scenario: 'flat', than: 'Shoal, 500 files in a directory', atLeast: 0.8 },
  { scenario: 'crowd', than: 'Shoal, 4 readers', atLeast: 1 },
  { scenario: 'fio', than: 'squashfuse_ll', atLeast: 2 },
  { scenario: 'huge-mount', atMost: 250 },
  { scenario: 'huge-mount', than: 'Shoal, a thousand files', atLeast: 0.8 },
  { scenario: 'huge-stat', than: 'Shoal, a hundred thousand files', atLeast: 0.8 },
  { scenario: 'huge-memory', atMost: 100 },
  { scenario: 'size', atMost: 64 },
  { scenario: 'size-zstd', atMost: 20 },
  { scenario: 'start-up', than: 'node -e 0', atMost: 40 },
];
