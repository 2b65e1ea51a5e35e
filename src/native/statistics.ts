/** Kinds of requests that a mount counts apart. */
export const requestKinds = [
  'lookup',
  'getattr',
  'readlink',
  'read',
  'readdir',
  'readdirplus',
  'getxattr',
  'listxattr',
  'open',
  'statfs',
  'lseek',
  'forget',
  'other',
] as const;

export type RequestKind = (typeof requestKinds)[number];

/** Requests of one kind: from when the server had read each until its answer was written. Times are nanoseconds. */
export interface RequestStatistics {
  readonly count: number;
  /** Those that failed because of damage, storage or memory; that a name or an attribute is not there is an answer. */
  readonly errors: number;
  /** Of all together. */
  readonly total: number;
  /** What so many of a hundred did not exceed: up to an eighth, or 256 ns, more than the true time, never less. 0 where there are none. */
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  /** 99.9. */
  readonly p999: number;
  readonly longest: number;
  /** How many took no longer than each of `bounds`. */
  readonly upTo: readonly number[];
}

/** Counts since the mount was made, of all its images together. */
export interface NativeStatistics {
  /** Nanoseconds since the mount was made. */
  readonly uptime: number;
  readonly threads: number;
  /** What was agreed with the kernel. */
  readonly protocol: {
    /** Of FUSE 7. */
    readonly minor: number;
    /** Flags of INIT, by their names in the kernel's headers. */
    readonly features: readonly string[];
    /** Bytes of the longest READ. */
    readonly maxRead: number;
  };
  /** Nanoseconds, ascending. */
  readonly bounds: readonly number[];
  readonly requests: Readonly<Record<RequestKind, RequestStatistics>>;
  /** Bytes of content that READs gave. */
  readonly servedBytes: number;
  /** System calls that read a volume, and the bytes that they gave. */
  readonly storageReads: number;
  readonly storageBytes: number;
  /** Blocks found in the block cache, and those that were not there. */
  readonly cacheHits: number;
  readonly cacheMisses: number;
  /** Reads repeated after an error or too few bytes. */
  readonly retries: number;
  /** Chunks that differed from their checksum also when read again. */
  readonly checksumFailures: number;
  /** Pages of an index that storage did not give. */
  readonly indexFaults: number;
}
