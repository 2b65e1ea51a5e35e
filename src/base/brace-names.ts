import { ShoalError } from './errors.ts';

/** Numbered names as `train-{000000..000146}.tar` means them: all numbers have as many digits as the first one. */
export interface BraceNames {
  readonly before: string;
  readonly first: number;
  readonly last: number;
  readonly digits: number;
  readonly behind: string;
}

/** Throws `usage` for what is no such pattern of file names. */
export function parseBraceNames(pattern: string): BraceNames {
  const [, before, from, to, behind] = /^([^{}/\0]*)\{(\d{1,9})\.\.(\d{1,9})\}([^{}/\0]*)$/.exec(pattern) ?? [];
  if (before === undefined || from === undefined || to === undefined || behind === undefined) {
    throw new ShoalError(
      'usage',
      `expected names such as train-{000000..000146}.tar, without directories, found "${pattern}"`,
    );
  }
  const [first, last] = [Number(from), Number(to)];
  if (first > last || from.length !== to.length) {
    throw new ShoalError(
      'usage',
      `expected two numbers of as many digits, the larger one last, found {${from}..${to}} in "${pattern}"`,
    );
  }
  return { before, first, last, digits: from.length, behind };
}

/** How many names there are. */
export function countBraceNames({ first, last }: BraceNames): number {
  return last - first + 1;
}

/** The name numbered `place`, counted from 0. */
export function braceName({ before, first, digits, behind }: BraceNames, place: number): string {
  return `${before}${String(first + place).padStart(digits, '0')}${behind}`;
}

/** Consecutive names in one: `train-{000000..000146}.tar`. Undefined where they are less than two, or no such names. */
export function braceNotation(names: readonly string[]): string | undefined {
  const [from, to] = [names[0], names.at(-1)];
  if (from === undefined || to === undefined || names.length < 2) return undefined;
  const [, before = '', number = '', behind = ''] = /^(.*?)(\d+)(\D*)$/s.exec(from) ?? [];
  if (number === '' || /[{}]/.test(from)) return undefined;
  const first = Number(number);
  const all = { before, first, last: first + names.length - 1, digits: number.length, behind };
  if (!Number.isSafeInteger(all.last) || !names.every((name, place) => name === braceName(all, place)))
    return undefined;
  return `${before}{${number}..${to.slice(before.length, to.length - behind.length)}}${behind}`;
}
