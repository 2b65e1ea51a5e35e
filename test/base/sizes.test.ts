import { expect, it } from 'vitest';
import { isShoalError } from '../../src/base/errors.ts';
import { formatSize, parseSize } from '../../src/base/sizes.ts';

it.each([
  ['0', 0],
  ['4096', 4096],
  ['64K', 65536],
  ['64 KiB', 65536],
  ['64kb', 65536],
  ['1.5G', 1.5 * 2 ** 30],
  ['4G', 2 ** 32],
  ['512B', 512],
  ['2T', 2 ** 41],
])('reads the size %s', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

it.each(['', 'K', '-1', '1X', '1e3', '0x10', '99999999P', '1 2'])('refuses "%s" as a size', (text) => {
  expect(() => parseSize(text)).toThrow(expect.toSatisfy((error) => isShoalError(error, 'usage')));
});

it.each([
  [0, '0'],
  [1023, '1023'],
  [1024, '1K'],
  [1536, '1.5K'],
  [65536, '64K'],
  [10 * 1024 - 1, '10K'],
  [1024 * 1024 - 1, '1M'],
  [2 ** 32, '4G'],
  [2 ** 53, '8P'],
])('writes the size %d as %s', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});
