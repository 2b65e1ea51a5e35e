import { showBytes } from '../base/entry-path.ts';
import { exitCode } from '../base/errors.ts';
import type { EntryProblem } from '../index.ts';
import { byteFields } from './byte-fields.ts';

/** One line for each problem: its path, and what it is. */
export function problemLines(problems: readonly EntryProblem[]): string[] {
  return problems.map(({ path, message }) => `${showBytes(path) || '.'}: ${message}`);
}

/** The same for machines. */
export function problemDocuments(problems: readonly EntryProblem[]): object[] {
  return problems.map(({ code, path, message }) => ({ ...byteFields('path', path), code, message }));
}

/** The exit code of work that left these problems: 3 if any is damage, 4 if some entries are only not done. */
export function problemStatus(problems: readonly EntryProblem[]): number {
  if (problems.length === 0) return 0;
  return problems.some(({ code }) => exitCode(code) === 3) ? 3 : exitCode('partial');
}
