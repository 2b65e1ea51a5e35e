import { ShoalError } from './errors.ts';

const units = ['', 'K', 'M', 'G', 'T', 'P'];

/** Bytes of a size as people write it: `4096`, `64K`, `1.5G`. Units are powers of 1024; `64k`, `64KB` and `64KiB` are the same. Throws `usage`. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([KMGTP]?)(?:i?B)?)$/i.exec(text.trim());
  const bytes = match === null ? Number.NaN : Number(match[1]) * 1024 ** units.indexOf((match[2] ?? '').toUpperCase());
  if (!Number.isFinite(bytes) || bytes > Number.MAX_SAFE_INTEGER) {
    throw new ShoalError('usage', `expected a size such as 4096, 64K or 4G, found "${text}"`);
  }
  return Math.round(bytes);
}

/** A size for people: `0`, `512`, `64K`, `1.5G`. At most four digits, rounded; a whole number of units comes without a point. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (unit + 1 < units.length && Math.round(value) >= 1024) {
    value /= 1024;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return value.toFixed(digits).replace(/\.0$/, '') + units[unit];
}
