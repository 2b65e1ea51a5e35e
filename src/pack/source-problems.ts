import { showBytes } from '../base/entry-path.ts';
import { type ErrorCode, errorCodes, type Problem, ShoalError } from '../base/errors.ts';
import type { NativeProblem } from '../native/problem.ts';

/** How many of them a message names. */
const named = 3;

/** Throws `unreadable`, `missing` or `changed` if there are problems, with all of them. */
export function throwProblems(found: readonly NativeProblem[]): void {
  const problems = found.map(toProblem).sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const [first] = problems;
  if (first === undefined) return;
  const changed = problems.filter(({ code }) => code === 'changed').length;
  const missing = problems.filter(({ code }) => code === 'missing').length;
  const unreadable = problems.length - changed - missing;
  const what = [
    ...(unreadable > 0 ? [`${unreadable} could not be read`] : []),
    ...(missing > 0 ? [`${missing} of the list of files not found`] : []),
    ...(changed > 0 ? [`${changed} changed while the tree was packed`] : []),
  ].join(', ');
  const list = problems.slice(0, named).map(({ path, message }) => `${path} (${message})`);
  if (problems.length > named) list.push(`and ${problems.length - named} more`);
  const message = `expected to read every entry of the source as the walk saw it: ${what}: ${list.join('; ')}. No image was made`;
  const code = unreadable > 0 ? 'unreadable' : missing > 0 ? 'missing' : 'changed';
  throw new ShoalError(code, message, { path: first.path, problems });
}

export function toProblem({ code, path, message }: NativeProblem): Problem {
  const known = (errorCodes as readonly string[]).includes(code) ? (code as ErrorCode) : 'internal';
  return { code: known, path: showBytes(path), message };
}
