import { type ErrorCode, ShoalError } from '../base/errors.ts';

/** The same as CodeFromErrno in native/core/status.cc; all others are `io`. */
const codes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  EEXIST: 'exists',
  ENOTEMPTY: 'exists',
  EACCES: 'permission',
  EPERM: 'permission',
  EBUSY: 'busy',
  ENOSYS: 'unsupported',
  EOPNOTSUPP: 'unsupported',
  ENOTSUP: 'unsupported',
  ENODEV: 'unsupported',
  ECANCELED: 'cancelled',
};

/** The name of a system error (`ENOENT`), or undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The error for a failed system call: "cannot open: no such file or directory". */
export function systemError(action: string, path: string, error: unknown, offset?: number): ShoalError {
  const name = systemCode(error);
  // Node's message is "ENOENT: no such file or directory, open '/some/path'"; the path is told apart.
  const reason =
    error instanceof Error
      ? error.message.replace(/^E[A-Z0-9]+: /, '').replace(/, [a-z]+(?: '.*)?$/s, '')
      : String(error);
  const code = (name === undefined ? undefined : codes[name]) ?? 'io';
  return new ShoalError(code, `cannot ${action}: ${reason}`, {
    path,
    ...(offset !== undefined && { offset }),
    cause: error,
  });
}
