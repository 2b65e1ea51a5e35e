/**
 * Why something failed: the closed set that callers may switch over, the same as `Code` in native/core/status.h (a test compares the two).
 */
export const errorCodes = [
  'usage',
  'missing',
  'exists',
  'permission',
  'io',
  'unsupported',
  'busy',
  'unreadable',
  'changed',
  'not-image',
  'version',
  'truncated',
  'checksum',
  'malformed',
  'wrong-volume',
  'different',
  'partial',
  'cancelled',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorDetails {
  /** The file concerned; bytes that are no UTF-8 are shown as `\xNN`. */
  readonly path?: string;
  /** Byte offset in the file at `path`. */
  readonly offset?: number;
  readonly cause?: unknown;
  /** All paths concerned, where there may be many; the message names the first ones. */
  readonly problems?: readonly Problem[];
}

/** Something that could not be done for one path. */
export interface Problem {
  readonly code: ErrorCode;
  /** Bytes that are no UTF-8 are shown as `\xNN`. */
  readonly path: string;
  readonly message: string;
}

/**
 * The only error that Shoal throws on purpose. The message says what was expected, what was found and what to do; `path` and `offset` say where.
 *
 * @example
 * ```ts
 * throw new ShoalError('truncated', 'expected 512 bytes, found 100; copy the file anew', { path: 'photos.tar', offset: 100 });
 * ```
 */
export class ShoalError extends Error {
  readonly code: ErrorCode;
  readonly path: string | undefined;
  readonly offset: number | undefined;
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'ShoalError';
    this.code = code;
    this.path = details.path;
    this.offset = details.offset;
    this.problems = details.problems ?? [];
  }
}

/**
 * Whether `error` is a ShoalError, with one of `codes` if any are given.
 *
 * @example
 * ```ts
 * await packTree(['photos'], 'photos.shoal').catch((error) => {
 *   if (!isShoalError(error, 'exists')) throw error;
 * });
 * ```
 */
export function isShoalError(error: unknown, ...codes: ErrorCode[]): error is ShoalError {
  return error instanceof ShoalError && (codes.length === 0 || codes.includes(error.code));
}

/** Exit code of a command that ended with this error: 1 failed, 2 usage (a name for output that is taken, too), 3 damaged or different data, 4 done in part. */
export function exitCode(code: ErrorCode): 1 | 2 | 3 | 4 {
  switch (code) {
    case 'usage':
    case 'exists':
      return 2;
    case 'not-image':
    case 'version':
    case 'truncated':
    case 'checksum':
    case 'malformed':
    case 'wrong-volume':
    case 'different':
      return 3;
    case 'partial':
      return 4;
    case 'missing':
    case 'permission':
    case 'io':
    case 'unsupported':
    case 'busy':
    case 'unreadable':
    case 'changed':
    case 'cancelled':
    case 'internal':
      return 1;
  }
}
