import { showBytes } from '../base/entry-path.ts';
import { type ErrorCode, errorCodes, type Problem, ShoalError } from '../base/errors.ts';
import type { NativeProblem } from '../native/addon.ts';

/** How many of them a message names. */
const named = 3;

/** Throws `unreadable` or `changed` if there are problems, with all of them. */
export function throwProblems(found: readonly NativeProblem[]): void {
  const problems = found.map(toProblem).sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const [first] = problems;
  if (first === undefined) return;
  const unreadable = problems.filter(({ code }) => code !== 'changed').length;
  const changed = problems.length - unreadable;
  const what = [
    ...(unreadable > 0 ? [`${unreadable} could not be read`] : []),
    ...(changed > 0 ? [`${changed} changed while the tree was packed`] : []),
  ].join(', ');
  const list = problems.slice(0, named).map(({ path, message }) => `${path} (${message})`);
  if (problems.length > named) list.push(`and ${problems.length - named} more`);
  const message = `expected to read every entry of the source as the walk saw it: ${what}: ${list.join('; ')}. No image was made`;
  throw new ShoalError(unreadable > 0 ? 'unreadable' : 'changed', message, { path: first.path, problems });
}

export function toProblem({ code, path, message }: NativeProblem): Problem {
  const known = (errorCodes as readonly string[]).includes(code) ? (code as ErrorCode) : 'internal';
  return { code: known, path: showBytes(path), message };
}
