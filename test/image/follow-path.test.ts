import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isShoalError } from '../../src/base/errors.ts';
import { followPath } from '../../src/image/follow-path.ts';
import type { IndexReader } from '../../src/image/index-reader.ts';
import { openIndex } from '../../src/image/open-image.ts';
import { makeSampleImage, type SampleImage } from '../support/sample-image.ts';

let image: SampleImage;
let index: IndexReader;

beforeAll(() => {
  image = makeSampleImage();
  index = openIndex(image.index);
});
afterAll(() => {
  index.close();
  image.remove();
});

describe('a path through symbolic links', () => {
  const pathOf = (path: string) => index.entryPath(followPath(index, Buffer.from(path)).number).toString();

  test('ends where open(2) would', () => {
    expect(pathOf('dir/up')).toBe('a.txt');
    expect(pathOf('/dir//./again/')).toBe('a.txt');
    expect(pathOf('dir')).toBe('dir');
    expect(pathOf('')).toBe('');
  });

  test.each([
    ['dir/loop', 'unsupported'],
    ['dir/out', 'unsupported'],
    ['dir/absolute', 'unsupported'],
    ['dir/nothing', 'missing'],
    ['dir/up/below', 'missing'],
    ['dir/../a.txt', 'usage'],
  ] as const)('%s fails as %s', (path, code) => {
    expect(() => followPath(index, Buffer.from(path))).toThrow(expect.toSatisfy((error) => isShoalError(error, code)));
  });
});
