import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packTree } from '../../src/pack/pack-tree.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const files = ['empty', 'small', 'sub/large', 'sub/sparse'];
const directories = ['.', 'sub', 'sub/nothing'];
const others = ['link', 'fifo'];

beforeAll(() => {
  mkdirSync(join(tree, 'sub', 'nothing'), { recursive: true });
  writeFileSync(join(tree, 'empty'), '');
  writeFileSync(join(tree, 'small'), 'content');
  writeFileSync(join(tree, 'sub', 'large'), Buffer.alloc(3_000_000, 'x'));
  writeFileSync(join(tree, 'sub', 'sparse'), 'data');
  truncateSync(join(tree, 'sub', 'sparse'), 1_000_000);
  symlinkSync('small', join(tree, 'link'));
  execFileSync('mkfifo', [join(tree, 'fifo')]);
});
afterAll(scratch.remove);

/** Where atimes are kept at all, one before the mtime is renewed by the next read. */
function makeAtimesOld(names: readonly string[]): void {
  for (const name of names) utimesSync(join(tree, name), 1e9, 1.1e9);
}

/** What lstat tells. */
function stats(names: readonly string[], withAtimes: boolean): object[] {
  return names.map((name) => {
    const { atimeNs, atimeMs, atime, ...rest } = lstatSync(join(tree, name), { bigint: true });
    return withAtimes ? { ...rest, atimeNs } : rest;
  });
}

test('packing changes no attribute of the source', async () => {
  const all = [...files, ...directories, ...others];
  const before = stats(all, false);
  await packTree([tree], join(scratch.path, 'x.shoal'));
  expect(stats(all, false)).toEqual(before);
});

test('packing leaves the atimes of files that are our own', async () => {
  makeAtimesOld(files);
  const before = stats(files, true);
  await packTree([tree], join(scratch.path, 'y.shoal'));
  expect(stats(files, true)).toEqual(before);
});

test('packing leaves the atimes of directories that are our own', async () => {
  makeAtimesOld(directories);
  const before = stats(directories, true);
  await packTree([tree], join(scratch.path, 'z.shoal'));
  expect(stats(directories, true)).toEqual(before);
});
