import type { NativeStatistics } from '../native/statistics.ts';

/** A mount that an engine of this process serves. */
export interface ServedTree {
  /** Resolves when the kernel has ended the session: after unmounting, by whomever, when the last program has let go. */
  readonly ended: Promise<void>;
  /** Unmounts; lazily (MNT_DETACH) where the mount is busy. `ended` follows. */
  unmount(): Promise<void>;
  /** Unmounts unless somebody uses the mount; tells whether it did. */
  unmountUnused(): Promise<boolean>;
  /** Requests so far. */
  requests(): number;
  /** What it has done so far, of an engine that counts. */
  readonly statistics?: () => NativeStatistics;
}
