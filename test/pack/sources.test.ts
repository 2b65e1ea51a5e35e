import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { packTree } from '../../src/pack/pack-tree.ts';
import { type Ran, runShoal } from '../support/run-shoal.ts';
import { contentsOf, isSame, namesIn, packError, readImage } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const place = join(scratch.path, 'place');
const image = join(place, 'out', 'x.shoal');
const at = (...names: string[]) => join(place, ...names);

beforeEach(() => {
  rmSync(place, { recursive: true, force: true });
  for (const name of ['a', 'b/c', 'b/a', '-dash', 'out', 'empty']) mkdirSync(at(name), { recursive: true });
  for (const name of ['a/in-a', 'b/c/in-c', 'b/a/in-ba', '-dash/in-dash', 'file'])
    writeFileSync(at(name), `content of ${name}`);
  symlinkSync('b/c', at('link'));
  symlinkSync('../file', at('a', 'link-to-file'));
  symlinkSync('nowhere', at('dangling'));
});
afterAll(scratch.remove);

function run(...options: string[]): Ran {
  return runShoal(['pack', ...options], { cwd: place });
}

describe('one source', () => {
  test('gives its contents to the root', async () => {
    await packTree([at('b')], image);
    expect(contentsOf(image)).toEqual({ 'a/in-ba': 'content of b/a/in-ba', 'c/in-c': 'content of b/c/in-c' });
  });

  test('that is an empty directory gives a root alone', async () => {
    expect((await packTree([at('empty')], image)).entries).toBe(1);
    expect(contentsOf(image)).toEqual({});
  });

  test('that is a file stands under its name', async () => {
    expect((await packTree([at('file')], image)).entries).toBe(2);
    expect(contentsOf(image)).toEqual({ file: 'content of file' });
  });

  test.each([
    ['a symbolic link to a directory', 'link', { 'in-c': 'content of b/c/in-c' }],
    ['a symbolic link to a directory, with a slash', 'link/', { 'in-c': 'content of b/c/in-c' }],
    ['a symbolic link to a file', 'a/link-to-file', { 'link-to-file': 'content of file' }],
    ['a directory with slashes', 'b/c///', { 'in-c': 'content of b/c/in-c' }],
    ['a way there and back', 'a/../b/./c', { 'in-c': 'content of b/c/in-c' }],
  ])('that is %s is followed', async (_, source, expected) => {
    await packTree([`${place}/${source}`], image);
    expect(contentsOf(image)).toEqual(expected);
  });

  test('gives the same bytes however it is written', async () => {
    await packTree([at('b', 'c')], image);
    const plain = readImage(image);
    for (const source of [`${at('b', 'c')}/`, at('link'), `${at('a')}/../b//c`]) {
      await packTree([source], image, { force: true });
      expect(isSame(readImage(image), plain)).toBe(true);
    }
    for (const source of ['b/c', './b/c/', 'link']) {
      expect(run(source, '-o', 'out/x.shoal', '--force', '--quiet')).toMatchObject({ status: 0, stderr: '' });
      expect(isSame(readImage(image), plain)).toBe(true);
    }
  });
});

describe('a source', () => {
  test.each([
    ['that begins with a dash, behind --', ['-o', 'out/x.shoal', '--', '-dash']],
    ['that begins with a dash, as a path', ['./-dash', '-o', 'out/x.shoal']],
  ])('%s is packed', (_, options) => {
    expect(run(...options)).toMatchObject({ status: 0, stderr: '' });
    expect(contentsOf(image)).toEqual({ 'in-dash': 'content of -dash/in-dash' });
  });

  test.each(['nothing', 'dangling', 'file/', 'file/below', ''])(
    'that is not there, %j, is told before any work',
    async (name) => {
      const source = name === '' ? '' : `${place}/${name}`;
      expect(await packError([at('a'), source], image)).toMatchObject({ code: 'missing', path: source });
      expect(namesIn(at('out'))).toEqual([]);
    },
  );

  test('is needed', async () => {
    expect((await packError([], image)).code).toBe('usage');
  });

  test('may be a file with holes', async () => {
    truncateSync(at('file'), 1_000_000);
    await packTree([at('file')], image);
    expect(contentsOf(image)['file']?.replace(/\0+$/, '')).toBe('content of file');
  });
});
