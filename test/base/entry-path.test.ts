import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameProblem, parseShownBytes, showBytes, splitEntryPath } from '../../src/base/entry-path.ts';
import { isShoalError } from '../../src/base/errors.ts';

const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array));

describe('shown bytes', () => {
  it.each([
    [Buffer.from('plain name'), 'plain name'],
    [Buffer.from('naïve – 数据 🐟'), 'naïve – 数据 🐟'],
    [Buffer.from('a\nb\tc\rd\\e'), 'a\\nb\\tc\\rd\\\\e'],
    [Buffer.from([0x61, 0xff, 0xc3]), 'a\\xFF\\xC3'],
    [Buffer.from([0x1b, 0x5b, 0x32, 0x4a]), '\\x1B[2J'],
    [Buffer.from('\u202egpj.exe'), '\\xE2\\x80\\xAEgpj.exe'],
  ])('shows %j as %s', (name, shown) => {
    expect(showBytes(name)).toBe(shown);
    expect(parseShownBytes(shown)).toEqual(name);
  });

  it('gives back any bytes from what it shows, and never a control character or an unpaired surrogate', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
        ),
        (name) => {
          const shown = showBytes(name);
          expect(parseShownBytes(shown)).toEqual(name);
          expect(shown).not.toMatch(/[\p{Cc}\p{Cs}]/u);
        },
      ),
    );
  });

  it('refuses a backslash that begins no escape', () => {
    for (const text of ['a\\', 'a\\q', '\\x1', '\\xZZ']) {
      expect(() => parseShownBytes(text)).toThrow(expect.toSatisfy((error) => isShoalError(error, 'usage')));
    }
  });
});

describe('a path within an image', () => {
  it.each([
    ['', []],
    ['/', []],
    ['.', []],
    ['a', ['a']],
    ['/a//b/./c/', ['a', 'b', 'c']],
    ['...', ['...']],
  ])('is split: %j', (path, names) => {
    expect(splitEntryPath(Buffer.from(path)).map(String)).toEqual(names);
  });

  it.each(['..', 'a/../b', 'a\0b', 'x'.repeat(256)])('is refused where no entry can be: %j', (path) => {
    expect(() => splitEntryPath(Buffer.from(path))).toThrow(expect.toSatisfy((error) => isShoalError(error, 'usage')));
  });

  it('takes names of up to 255 bytes and tells what is wrong with others', () => {
    expect(nameProblem(Buffer.alloc(255, 'x'))).toBeUndefined();
    for (const name of ['', '.', '..', 'a/b', 'a\0', 'x'.repeat(256)])
      expect(nameProblem(Buffer.from(name))).toBeTypeOf('string');
  });
});
