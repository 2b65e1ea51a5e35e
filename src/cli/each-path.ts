import { exitCode, isShoalError } from '../base/errors.ts';
import type { CommonOptions } from './define-command.ts';
import { errorDocument, errorLines } from './error-lines.ts';
import { raiseExitStatus } from './exit-status.ts';
import { printMessage } from './messages.ts';
import { argumentBytes } from './raw-arguments.ts';
import { standardOutput } from './standard-output.ts';

/** Does `work` for each of several paths. As cat and stat do, a path that fails is told and the others are still done; the worst failure gives the exit code. */
export function forEachPath(
  command: string,
  paths: readonly string[],
  options: CommonOptions,
  work: (path: Buffer) => void,
): void {
  for (const path of paths) {
    try {
      work(argumentBytes(path));
    } catch (error) {
      if (!isShoalError(error)) throw error;
      // What was found before comes before.
      standardOutput.flush();
      printError(error, command, options);
      raiseExitStatus(exitCode(error.code));
    }
  }
}

/** Tells of an error on stderr. */
export function printError(error: unknown, command: string | undefined, options: CommonOptions): void {
  if (options.json) printMessage(JSON.stringify(errorDocument(error)));
  else for (const line of errorLines(error, command, options.verbose === true)) printMessage(line);
}
