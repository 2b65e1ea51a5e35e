import { ShoalError } from '../base/errors.ts';
import { parseSize } from '../base/sizes.ts';

/** The value of `--jobs`: a number of threads. */
export function parseJobs(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > 1024) {
    throw new ShoalError('usage', `--jobs: expected a whole number from 1 to 1024, found "${text}"`);
  }
  return count;
}

/** The value of `--checkpoint`: seconds, fractions allowed. */
export function parseCheckpoint(text: string): number {
  const seconds = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && seconds > 0) return seconds;
  throw new ShoalError('usage', `--checkpoint: expected seconds above 0, found "${text}"`);
}

/** The value of `--part`: I/N. */
export function parsePart(text: string): { number: number; count: number } {
  const [, number, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  if (number === undefined || count === undefined || Number(number) < 1 || Number(number) > Number(count)) {
    throw new ShoalError('usage', `--part: expected I/N, such as 2/4, with I from 1 to N, found "${text}"`);
  }
  return { number: Number(number), count: Number(count) };
}

/** The value of an option that is a size: bytes, as `4G` or `4000000000`. */
export function parseSizeOf(option: string): (text: string) => number {
  return (text) => {
    try {
      return parseSize(text);
    } catch (error) {
      throw error instanceof ShoalError ? new ShoalError('usage', `${option}: ${error.message}`) : error;
    }
  };
}

/** The value of `--lease`: a process id. */
export function parseProcessId(text: string): number {
  const id = Number(text);
  if (!/^\d{1,10}$/.test(text) || id < 1) {
    throw new ShoalError('usage', `--lease: expected the id of a process, found "${text}"`);
  }
  return id;
}

/** Adds the path of one option to those before. */
export function addPath(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** Adds the KEY=VALUE of one `--meta` to those before. */
export function addMetadata(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const equals = text.indexOf('=');
  const key = text.slice(0, equals);
  if (equals < 1) throw new ShoalError('usage', `--meta: expected KEY=VALUE, found "${text}"`);
  if (key.startsWith('shoal.'))
    throw new ShoalError('usage', `--meta: keys that begin with "shoal." are Shoal's own, found "${key}"`);
  if (Object.hasOwn(before, key)) throw new ShoalError('usage', `--meta: key "${key}" is given twice`);
  return { ...before, [key]: text.slice(equals + 1) };
}
