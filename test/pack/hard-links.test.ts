import { execFileSync, spawnSync } from 'node:child_process';
import { linkSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { openIndex } from '../../src/image/open-image.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { compareTrees } from '../compare-trees.ts';
import { documents, runShoal } from '../support/run-shoal.ts';
import { namesIn } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const place = join(scratch.path, 'place');
const at = (...names: string[]) => join(place, ...names);
const image = at('x.shoal');

beforeEach(() => {
  rmSync(place, { recursive: true, force: true });
  for (const name of ['tree/a', 'tree/b/deep', 'outside']) mkdirSync(at(name), { recursive: true });
  writeFileSync(at('tree/b/deep/first-made'), 'content');
  linkSync(at('tree/b/deep/first-made'), at('tree/z'));
  linkSync(at('tree/z'), at('tree/a/third'));
});
afterAll(scratch.remove);

/** For each name that is an alias, the path of the entry that it names, and the link count. */
function links(): Record<string, [target: string, nlink: number]> {
  const index = openIndex(image);
  const found: Record<string, [string, number]> = {};
  for (let number = 0; number < index.entryCount; number++) {
    const target = index.resolve(number);
    if (index.get(number).alias)
      found[index.entryPath(number).toString()] = [index.entryPath(target.number).toString(), target.nlink];
  }
  index.close();
  return found;
}

function nlinkOf(path: string): number {
  const index = openIndex(image);
  const nlink = index.resolvePath(Buffer.from(path))?.nlink ?? 0;
  index.close();
  return nlink;
}

test('the name that comes first in the image is the entry, the others are aliases of it', async () => {
  const { bytes } = await packTree([at('tree')], image);
  expect(links()).toEqual({ 'a/third': ['z', 3], 'b/deep/first-made': ['z', 3] });
  expect(bytes).toBe('content'.length);
});

test('names outside of the tree count, but are no entries', async () => {
  linkSync(at('tree/z'), at('outside/fourth'));
  writeFileSync(at('outside/other'), 'other');
  linkSync(at('outside/other'), at('tree/in'));
  await packTree([at('tree')], image);
  expect(links()).toEqual({ 'a/third': ['z', 4], 'b/deep/first-made': ['z', 4] });
  expect(nlinkOf('in')).toBe(2);
});

test('names in several sources are one file', async () => {
  linkSync(at('tree/z'), at('outside/fourth'));
  await packTree([at('tree'), at('outside')], image);
  expect(links()).toEqual({
    'tree/z': ['outside/fourth', 4],
    'tree/a/third': ['outside/fourth', 4],
    'tree/b/deep/first-made': ['outside/fourth', 4],
  });
});

test('sources that are names of one file are one file', async () => {
  await packTree([at('tree/z'), at('tree/a/third')], image);
  expect(links()).toEqual({ z: ['third', 3] });
});

test('a source within another is the same files again', async () => {
  await packTree([at('tree'), at('tree/a')], image);
  expect(links()).toMatchObject({ 'tree/z': ['a/third', 3], 'tree/a/third': ['a/third', 3] });
});

test('a file of one name that stands in the image twice has its content twice', async () => {
  writeFileSync(at('tree/a/single'), 'single');
  await packTree([at('tree'), at('tree/a')], image);
  expect(links()).not.toHaveProperty('tree/a/single');
  expect(runShoal(['cat', image, 'tree/a/single', 'a/single']).stdout).toBe('singlesingle');
});

test('the command tells inode, link count and first name, and content by any name', async () => {
  await packTree([at('tree')], image);
  const shown = documents(runShoal(['stat', '--json', image, 'z', 'a/third', 'b/deep/first-made']).stdout);
  expect(new Set(shown.map(({ inode }) => inode)).size).toBe(1);
  for (const { nlink, size } of shown) expect([nlink, size]).toEqual([3, 7]);
  expect(runShoal(['stat', image, 'a/third']).stdout).toMatch(/^ *hard link to {2}z$/m);
  expect(runShoal(['cat', image, 'a/third', 'b/deep/first-made']).stdout).toBe('contentcontent');
});

test('all kinds of entries have further names, and tar and extract make them again', async () => {
  const make: Record<string, () => void> = {
    large: () => writeFileSync(at('tree/large'), Buffer.alloc(3_000_000, 'large')),
    sparse: () => {
      writeFileSync(at('tree/sparse'), 'x');
      truncateSync(at('tree/sparse'), 1_000_000);
    },
    empty: () => writeFileSync(at('tree/empty'), ''),
    symlink: () => symlinkSync('nowhere', at('tree/symlink')),
    fifo: () => void execFileSync('mkfifo', [at('tree/fifo')]),
  };
  for (const [name, makeIt] of Object.entries(make)) {
    makeIt();
    linkSync(at('tree', name), at('tree/a', `${name}-again`));
  }
  await packTree([at('tree')], image);
  for (const name of Object.keys(make)) expect(links()[`a/${name}-again`]).toEqual([name, 2]);

  mkdirSync(at('extracted'));
  expect(runShoal(['extract', image, '-C', at('extracted')])).toMatchObject({ status: 0, stderr: '' });
  expect(await compareTrees(at('tree'), at('extracted'))).toEqual([]);
  mkdirSync(at('by-tar'));
  execFileSync('tar', ['-C', at('by-tar'), '-xpf', at('x.tar')]);
  expect(await compareTrees(at('tree'), at('by-tar'))).toEqual([]);
});

test('a thousand names of one file are one entry and 999 aliases', async () => {
  mkdirSync(at('many'));
  writeFileSync(at('many/000'), 'x');
  for (let i = 1; i < 1000; i++) linkSync(at('many/000'), at('many', String(i).padStart(3, '0')));
  await packTree([at('many')], image, { jobs: 8 });
  const found = Object.values(links());
  expect(found).toHaveLength(999);
  expect(new Set(found.map(String))).toEqual(new Set(['000,1000']));
});

test('files of one inode number on two filesystems are two files', async (ctx) => {
  if (process.getuid?.() !== 0) ctx.skip('needs root to mount filesystems');
  const disks = [at('disk-1'), at('disk-2')];
  try {
    for (const disk of disks) {
      mkdirSync(disk);
      const found = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'shoal-test', disk], { encoding: 'utf8' });
      if (found.status !== 0) ctx.skip(`may not mount: ${found.stderr}`);
      writeFileSync(join(disk, 'file'), disk);
      linkSync(join(disk, 'file'), join(disk, 'again'));
    }
    const [one, two] = disks.map((disk) => lstatSync(join(disk, 'file')).ino);
    if (one !== two) ctx.skip('the two filesystems number their files differently');
    await packTree(disks, image);
    expect(links()).toEqual({ 'disk-1/file': ['disk-1/again', 2], 'disk-2/file': ['disk-2/again', 2] });
    expect(runShoal(['cat', image, 'disk-1/file', 'disk-2/file']).stdout).toBe(disks.join(''));
  } finally {
    for (const disk of disks) spawnSync('umount', ['-l', disk]);
  }
});

test('a file that is renamed over another name of itself keeps both names', async () => {
  renameSync(at('tree/z'), at('tree/a/third'));
  expect(namesIn(at('tree'))).toContain('z');
  await packTree([at('tree')], image);
  expect(links()['a/third']).toEqual(['z', 3]);
});
