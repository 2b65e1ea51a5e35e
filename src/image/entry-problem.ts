import type { ErrorCode } from '../base/errors.ts';
import type { NativeProblem } from '../native/problem.ts';

/** What is wrong with one entry, while the work on the others went on. */
export interface EntryProblem {
  readonly code: ErrorCode;
  /** Path within the image, `.` for its root; bytes. */
  readonly path: Buffer;
  /** What was expected and found, and where: volume and offset for damaged content. */
  readonly message: string;
}

/** Native codes are ErrorCodes: a test holds the two lists against each other. */
export function entryProblems(problems: readonly NativeProblem[]): EntryProblem[] {
  return problems.map(({ code, path, message }) => ({ code: code as ErrorCode, path, message }));
}
