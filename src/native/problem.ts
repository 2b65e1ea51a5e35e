/** What a native job throws; the codes are those of src/base/errors.ts. */
export interface NativeFailure extends Error {
  readonly code: string;
  readonly path?: Buffer;
  /** Byte offset in the file at `path`. */
  readonly offset?: number;
  /** errno of the failed system call. */
  readonly errno?: number;
}

/** Something that could not be done for one path. */
export interface NativeProblem {
  readonly code: string;
  readonly path: Buffer;
  readonly message: string;
}
