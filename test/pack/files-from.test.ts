import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { packTree } from '../../src/pack/pack-tree.ts';
import { documents, runShell } from '../support/run-shoal.ts';
import { walkedPaths } from '../support/walked-files.ts';
import { contentsOf, expectWhole, isSame, namesIn, packError, readImage } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const image = join(scratch.path, 'x.shoal');
const all = ['a/1', 'a/2', 'a-b/1', 'a.b', 'c/d/e/f', 'c/d/g', 'c/h', 'i'];

beforeEach(() => {
  rmSync(scratch.path, { recursive: true, force: true });
  for (const path of all) {
    mkdirSync(join(tree, dirname(path)), { recursive: true });
    writeFileSync(join(tree, path), `content of ${path}`);
  }
  symlinkSync('c', join(tree, 'link'));
  symlinkSync('/etc', join(tree, 'out'));
});
afterAll(scratch.remove);

const list = (...paths: string[]) => Buffer.from(paths.map((path) => `${path}\n`).join(''));

describe('a list of files', () => {
  test.each<[string, string[], string[]]>([
    ['names files, and the directories on the way are packed, too', ['c/d/g', 'i'], ['c/', 'c/d/', 'c/d/g', 'i']],
    ['names directories with all that is below', ['c/d'], ['c/', 'c/d/', 'c/d/e/', 'c/d/e/f', 'c/d/g']],
    ['may name a directory and something in it', ['a', 'a/1'], ['a/', 'a/1', 'a/2']],
    [
      'may be in any order, and name things twice',
      ['i', 'a.b', 'a/2', 'i', 'a-b/1'],
      ['a-b/', 'a-b/1', 'a.b', 'a/', 'a/2', 'i'],
    ],
    ['may be written as find writes it', ['./c', './c/h'], ['c/', 'c/d/', 'c/d/e/', 'c/d/e/f', 'c/d/g', 'c/h']],
    ['may have slashes too many', ['c//d///g/', '', 'a/'], ['a/', 'a/1', 'a/2', 'c/', 'c/d/', 'c/d/g']],
    ['may have absolute paths', [join(tree, 'c/h'), `${tree}//i`], ['c/', 'c/h', 'i']],
    ['names links, which are not followed', ['link'], ['link']],
    ['that is empty gives a root alone', [], []],
  ])('%s', async (_, paths, expected) => {
    expect(await walkedPaths(tree, { files: list(...paths) })).toEqual(expected);
  });

  test.each([['.'], ['./'], [tree], [`${tree}/`]])('with %s in it gives the whole tree', async (path) => {
    const everything = await walkedPaths(tree, {});
    expect(await walkedPaths(tree, { files: list(path, 'a/1') })).toEqual(everything);
  });

  test('needs no newline behind its last path', async () => {
    expect(await walkedPaths(tree, { files: Buffer.from('i\na.b') })).toEqual(['a.b', 'i']);
  });

  test('gives the same bytes as a tree that has these files alone', async () => {
    await packTree([tree], image, { files: list('c/d/g', 'i') });
    const listed = readImage(image);
    for (const path of all) if (path !== 'c/d/g' && path !== 'i') rmSync(join(tree, path));
    for (const path of ['a', 'a-b', 'c/d/e', 'link', 'out']) rmSync(join(tree, path), { recursive: true });
    // Directories are as the listing run saw them, but for the time and the links that removing changed.
    await packTree([tree], image, { force: true });
    expect(Object.keys(contentsOf(image))).toEqual(['i', 'c/d/g']);
    for (const path of ['c/d', 'c', '']) utimesSync(join(tree, path), 1e9, 1e9);
    await packTree([tree], image, { force: true });
    const plain = readImage(image);
    await packTree([tree], image, { force: true, files: list('i', 'c/d') });
    expect(isSame(readImage(image), plain)).toBe(true);
    expect(isSame(listed, plain)).toBe(false);
  });

  test('is subject to what is excluded', async () => {
    expect(await walkedPaths(tree, { files: list('c', 'i', 'a/1'), exclude: ['d', '/a/'] })).toEqual([
      'c/',
      'c/h',
      'i',
    ]);
  });
});

describe('what is not there', () => {
  test('is named, every path of it, and no image is made', async () => {
    const error = await packError([tree], image, { files: list('none', 'a/none', 'x/y/z', 'x/y', 'i') });
    expect(error.code).toBe('missing');
    expect(error.problems.map(({ path }) => path.slice(tree.length + 1))).toEqual(['a/none', 'none', 'x/y', 'x/y/z']);
    expect(error.message).toContain('4 of the list of files not found');
    expect(namesIn(scratch.path)).toEqual(['tree']);
  });

  test('is left out and listed with skipUnreadable', async () => {
    const { unreadable } = await packTree([tree], image, { files: list('none', 'i'), skipUnreadable: true });
    expect(unreadable.map(({ code, path }) => [code, path.toString()])).toEqual([['missing', join(tree, 'none')]]);
    expect(Object.keys(contentsOf(image))).toEqual(['i']);
    await expectWhole(image);
  });

  test.each([
    ['link/d/g', 'symbolic link'],
    ['out/passwd', 'symbolic link'],
    ['i/x', 'found a file'],
  ])('like %s, to which no directories lead, is named', async (path, found) => {
    const error = await packError([tree], image, { files: list(path, 'a') });
    expect(error).toMatchObject({ code: 'missing', problems: [{ path: join(tree, path) }] });
    expect(error.message).toContain(found);
  });
});

describe('a path', () => {
  test.each(['../tree/i', 'a/../i', '..', '/etc/passwd', '/', `${tree}x/i`])(
    '%s may not leave the source',
    async (path) => {
      const error = await packError([tree], image, { files: list('i', path) });
      expect(error).toMatchObject({ code: 'usage', path });
      expect(namesIn(scratch.path)).toEqual(['tree']);
    },
  );

  test('of a list with NULs is a mistake where newlines are expected', async () => {
    const error = await packError([tree], image, { files: Buffer.from('i\0a\0') });
    expect(error).toMatchObject({ code: 'usage', message: expect.stringContaining('--null') });
  });
});

test('a list belongs to one source', async () => {
  const error = await packError([tree, join(tree, 'a')], image, { files: list('i') });
  expect(error.code).toBe('usage');
});

describe('the command', () => {
  const run = (line: string) => runShell(line, { cwd: scratch.path });

  test('reads a list with NULs from standard input, names of any bytes', () => {
    const ran = run(
      `: > $'tree/new\\nline'; : > $'tree/\\xff'; cd tree && find . -empty -print0 | shoal pack . -o ../x.shoal --files-from - --null --json`,
    );
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(documents(ran.stdout)).toMatchObject([{ entries: 3, bytes: 0 }]);
  });

  test('reads a list from a file, and exits with 4 if something is left out', () => {
    const ran = run(`printf 'i\\nnone\\n' > list; shoal pack tree -o x.shoal --files-from list --skip-unreadable -q`);
    expect(ran).toMatchObject({
      status: 4,
      stdout: '',
      stderr: expect.stringContaining('left out tree/none: is listed'),
    });
  });

  test('exits with 1 if something is not there', () => {
    const ran = run(`echo none | shoal pack tree -o x.shoal --files-from -`);
    expect(ran).toMatchObject({ status: 1, stderr: expect.stringContaining('tree/none') });
  });

  test('names a list that is not there', () => {
    expect(run('shoal pack tree -o x.shoal --files-from none')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('none'),
    });
  });
});
