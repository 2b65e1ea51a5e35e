import type { EntryProblem } from '../../src/image/entry-problem.ts';

/** Problems as lines `PATH: MESSAGE`. */
export function shownProblems(problems: readonly EntryProblem[]): string[] {
  return problems.map(({ path, message }) => `${path.toString('latin1')}: ${message}`);
}

/** Problems as lines `PATH: CODE`. */
export function problemCodes(problems: readonly EntryProblem[]): string[] {
  return problems.map(({ path, code }) => `${path.toString('latin1')}: ${code}`);
}
