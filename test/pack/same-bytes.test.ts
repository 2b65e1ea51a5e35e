import { chmodSync, mkdirSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packTree } from '../../src/pack/pack-tree.ts';
import { type ImageFiles, isSame, readImage } from './image-files.ts';
import { anotherUser, directoryOf, openUp } from './other-user.ts';
import { scratchDirectory, startPack } from './pack-process.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
let first: ImageFiles;
let number = 0;

beforeAll(async () => {
  openUp(scratch.path);
  // More than a batch of members, several steps of large files, several directories for each thread.
  for (let i = 0; i < 20; i++) {
    mkdirSync(join(tree, `${i}`, 'below'), { recursive: true });
    for (let j = 0; j < 20; j++) writeFileSync(join(tree, `${i}`, 'below', `${j}`), Buffer.alloc(i * j * 40, `${j}`));
    symlinkSync('below/1', join(tree, `${i}`, 'link'));
  }
  writeFileSync(join(tree, 'large'), Buffer.alloc(20_000_000, 'large'));
  writeFileSync(join(tree, 'sparse'), 'data');
  truncateSync(join(tree, 'sparse'), 5_000_000);
  writeFileSync(join(tree, 'program'), '#!/bin/sh\n');
  chmodSync(join(tree, 'program'), 0o755);
  utimesSync(join(tree, 'program'), -1.5, -1.5);
  first = await pack(1);
});
afterAll(scratch.remove);

/** The image always has the same name: the index holds that of its volume. */
function newImage(user?: number): string {
  const directory = join(scratch.path, `out-${number++}`);
  directoryOf(user, directory);
  return join(directory, 'x.shoal');
}

async function pack(jobs: number, sources: readonly string[] = [tree]): Promise<ImageFiles> {
  const image = newImage();
  await packTree(sources, image, { jobs });
  return readImage(image);
}

async function packAs(user: number, sources: readonly string[]): Promise<ImageFiles> {
  const image = newImage(user);
  expect(await startPack(image, sources, user).outcome).toHaveProperty('id');
  return readImage(image);
}

test.each([2, 3, 16, 64])('%d threads make what one makes', async (jobs) => {
  for (let round = 0; round < 3; round++) expect(isSame(await pack(jobs), first)).toBe(true);
});

test('another user, who may read the tree, makes the same image', async (ctx) => {
  expect(isSame(await packAs(anotherUser(ctx), [tree]), first)).toBe(true);
});

test.for([
  ['several sources', ['0', '1']],
  ['a source that is a file', ['program']],
] as const)('another user makes the same image of %s, too', async ([, names], ctx) => {
  const sources = names.map((name) => join(tree, name));
  expect(isSame(await packAs(anotherUser(ctx), sources), await pack(2, sources))).toBe(true);
});

test('another order of making does not matter', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const images: ImageFiles[] = [];
  for (const order of [names, [...names].reverse()]) {
    const directory = join(scratch.path, 'order');
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
    for (const name of order) writeFileSync(join(directory, name), name);
    for (const name of [...names, '.']) utimesSync(join(directory, name), 1e9, 1e9);
    images.push(await pack(2, [directory]));
  }
  expect(isSame(images[0] as ImageFiles, images[1] as ImageFiles)).toBe(true);
});
