import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { packTree } from '../../src/pack/pack-tree.ts';
import { type Ran, runShoal } from '../support/run-shoal.ts';
import { contentsOf, isSame, namesIn, packError, readImage, rootNames } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const place = join(scratch.path, 'place');
const image = join(place, 'out', 'x.shoal');
const at = (...names: string[]) => join(place, ...names);

beforeEach(() => {
  rmSync(place, { recursive: true, force: true });
  for (const name of ['a', 'b/c', 'b/a', 'out']) mkdirSync(at(name), { recursive: true });
  for (const name of ['a/in-a', 'b/c/in-c', 'b/a/in-ba', 'file']) writeFileSync(at(name), `content of ${name}`);
  symlinkSync('b/c', at('link'));
  symlinkSync('../file', at('a', 'link-to-file'));
});
afterAll(scratch.remove);

function run(...options: string[]): Ran {
  return runShoal(['pack', ...options], { cwd: place });
}

describe('several sources', () => {
  test('stand under their base names, in whatever order they are given', async () => {
    const expected = {
      'a/in-a': 'content of a/in-a',
      'c/in-c': 'content of b/c/in-c',
      file: 'content of file',
    };
    await packTree([at('file'), at('b', 'c'), at('a')], image);
    expect(contentsOf(image)).toEqual(expected);
    const first = readImage(image);
    await packTree([at('a'), `${at('b', 'c')}/`, at('file')], image, { force: true });
    expect(isSame(readImage(image), first)).toBe(true);
  });

  test('that are symbolic links are followed, and stand under the names of the links', async () => {
    await packTree([at('link'), at('a', 'link-to-file')], image);
    expect(contentsOf(image)).toEqual({ 'link/in-c': 'content of b/c/in-c', 'link-to-file': 'content of file' });
  });

  test('without a name of their own stand under the name that they have', () => {
    const { status, stderr } = runShoal(['pack', '.', '../file', '-o', '../out/x.shoal'], { cwd: at('a') });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(rootNames(image).join()).toBe('a,file');
  });

  test('may stand one in another', async () => {
    await packTree([at('b'), at('b', 'c')], image);
    expect(rootNames(image).join()).toBe('b,c');
  });

  test.each([
    ['of one base name', ['a', 'b/a']],
    ['that are the same', ['a', 'a']],
    ['that are the same, one with a slash', ['a', 'a/']],
  ])('%s are told before any work', async (_, sources) => {
    const refused = await packError(
      sources.map((source) => `${place}/${source}`),
      image,
    );
    expect(refused).toMatchObject({ code: 'usage', message: expect.stringContaining('called a') });
    expect(run(...sources, '-o', 'out/x.shoal').status).toBe(2);
    expect(namesIn(at('out'))).toEqual([]);
  });

  test('have names of any bytes', async () => {
    const names = [Buffer.from([0xfe]), Buffer.from([0xff, 0x0a])];
    const sources = names.map((name) => Buffer.concat([Buffer.from(`${place}/`), name]));
    for (const source of sources) mkdirSync(source);
    await packTree(sources, image);
    expect(rootNames(image)).toEqual(names);
  });
});
