import { isShoalError, type ShoalError } from '../base/errors.ts';

/** How an error is told: what and why on the first line, then where, then what to do. `command` is undefined before one is known. */
export function errorLines(error: unknown, command: string | undefined, verbose: boolean): string[] {
  const prefix = command === undefined ? 'shoal' : `shoal: ${command}`;
  const [message, ...details] = isShoalError(error) ? shoalErrorLines(error) : internalErrorLines(error, verbose);
  const indented = details.map((line) => `  ${line}`);
  const lines = [`${prefix}: ${message}`, ...indented];
  if (verbose) lines.push(...stackLines(error));
  return lines;
}

/** The same for machines. */
export function errorDocument(error: unknown): object {
  if (!isShoalError(error)) return { error: { code: 'internal', message: textOf(error) } };
  const { code, message, path, offset, problems } = error;
  return { error: { code, message, path, offset, ...(problems.length > 0 && { problems }) } };
}

function shoalErrorLines(error: ShoalError): string[] {
  const lines = error.message.split('\n');
  // The message is about all of them.
  if (error.problems.length > 0) return [...lines, ...error.problems.map(({ path, message }) => `${path}: ${message}`)];
  if (error.path !== undefined) lines.push(`path: ${error.path}`);
  if (error.offset !== undefined) lines.push(`offset: ${error.offset}`);
  return lines;
}

function internalErrorLines(error: unknown, verbose: boolean): string[] {
  const cure = verbose ? '' : '; --verbose shows where, please report it';
  return [`internal error: ${textOf(error).split('\n', 1)[0]}${cure}`];
}

function stackLines(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const cause = error.cause === undefined ? [] : [`caused by ${textOf(error.cause)}`, ...stackLines(error.cause)];
  return [...(error.stack ?? '').split('\n').slice(1), ...cause];
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
