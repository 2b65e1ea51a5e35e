import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { changedAfter, changingTree } from './changing-tree.ts';

const tree = changingTree();
beforeEach(tree.renew);
afterAll(tree.remove);

const fileChanges: Record<string, (path: string) => void> = {
  'is appended to': (path) => appendFileSync(path, 'x'),
  'is overwritten, its length as before': (path) => writeFileSync(path, Buffer.alloc(statSync(path).size, 'y')),
  'is overwritten, its length and mtime as before': (path) => {
    writeFileSync(path, Buffer.alloc(statSync(path).size, 'y'));
    utimesSync(path, 1e9, 1e9);
  },
  'gets other permissions': (path) => chmodSync(path, 0o600),
};
const nameChanges: Record<string, (path: string) => void> = {
  'is removed': (path) => rmSync(path),
  'is replaced by a copy with the same mtime': (path) => {
    copyFileSync(path, tree.aside);
    utimesSync(tree.aside, 1e9, 1e9);
    renameSync(tree.aside, path);
  },
  'is replaced by a symbolic link to a copy': (path) => {
    renameSync(path, tree.aside);
    symlinkSync(tree.aside, path);
  },
  'is replaced by a directory': (path) => {
    rmSync(path);
    mkdirSync(path);
  },
  'is replaced by a FIFO, which nobody writes to': (path) => {
    rmSync(path);
    execFileSync('mkfifo', [path]);
  },
};

describe.each(['small', 'large', 'sparse', 'empty'])('the %s file', (name) => {
  const path = join(tree.path, 'sub', name);

  test.each(Object.entries(fileChanges))(
    'that %s before it is read is named, and no image is made',
    async (_, change) => {
      expect(await changedAfter(tree, () => change(path))).toEqual([`sub/${name}`]);
    },
  );

  test.each(Object.entries(nameChanges))(
    'that %s before it is read is named, as is its directory',
    async (_, change) => {
      expect(await changedAfter(tree, () => change(path))).toEqual(['sub', `sub/${name}`]);
    },
  );

  test('that is cut short before it is read is named', async (ctx) => {
    const { size } = statSync(path);
    if (size === 0) ctx.skip('nothing is shorter than an empty file');
    expect(await changedAfter(tree, () => truncateSync(path, size - 1))).toEqual([`sub/${name}`]);
  });

  test('that gets another name outside of the tree is named: its link count is in the image', async () => {
    expect(await changedAfter(tree, () => linkSync(path, tree.aside))).toEqual([`sub/${name}`]);
  });

  test('that gets another owner is named', async (ctx) => {
    if (process.getuid?.() !== 0) ctx.skip('needs root to give files away');
    expect(await changedAfter(tree, () => chownSync(path, 1, 1))).toEqual([`sub/${name}`]);
  });
});
