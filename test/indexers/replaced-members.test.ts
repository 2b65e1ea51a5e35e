import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openImage } from '../../src/image/open-image.ts';
import { indexArchive } from '../../src/indexers/index-archive.ts';
import { scratchDirectory } from './indexed-tar.ts';
import { end, file, header, pax } from './tar-blocks.ts';

const scratch = scratchDirectory();
let count = 0;

const directory = (name: string, mode = '0000755') => header({ name, type: '5', mode });
const link = (name: string, linkName: string) => header({ name, type: '2', linkName });
const hardLink = (name: string, linkName: string) => header({ name, type: '1', linkName });

/** Every path of the image with what it is, and how many members were left out. */
async function treeOf(...members: readonly Buffer[]): Promise<Record<string, string>> {
  const path = join(scratch, `${count++}.tar`);
  writeFileSync(path, Buffer.concat([...members, end]));
  const { image: index, entries, skipped } = await indexArchive(Buffer.from(path));
  const image = openImage(index);
  const tree: Record<string, string> = {};
  for (let number = 1; number < entries; number++) {
    const entry = image.index.resolve(number);
    const text = {
      file: () => `${image.read(entry, 0, entry.size)}`,
      symlink: () => `-> ${image.index.linkTarget(entry)}`,
    }[entry.kind as string];
    const what = text?.() ?? `${entry.kind} ${(entry.mode & 0o7777).toString(8)}`;
    tree[`${image.index.entryPath(number)}`] = entry.kind === 'directory' ? what : `${what} ×${entry.nlink}`;
  }
  image.close();
  for (const { path: member, message } of skipped) tree[`skipped ${member}`] = message.split(' (')[0] ?? '';
  return tree;
}

test.each([
  ['1.5e-05', 0, 15_000],
  ['-2.5e-01', -1, 750_000_000],
  ['1e+10', 10_000_000_000, 0],
])('an mtime of %s, as Python writes them, is understood', async (mtime, seconds, nanoseconds) => {
  const path = join(scratch, `${count++}.tar`);
  writeFileSync(path, Buffer.concat([pax({ mtime }), file('f', 'x'), end]));
  const image = openImage((await indexArchive(path)).image);
  expect(image.index.resolvePath(Buffer.from('f'))).toMatchObject({ seconds, nanoseconds });
  image.close();
});

test('a later file replaces an earlier one', async () => {
  expect(await treeOf(file('a', 'one'), file('b', 'x'), file('a', 'two'))).toEqual({ a: 'two ×1', b: 'x ×1' });
});

test('a directory that comes again keeps its children and takes the new mode', async () => {
  const tree = await treeOf(directory('d/'), file('d/f', 'x'), directory('d', '0000700'));
  expect(tree).toEqual({ d: 'directory 700', 'd/f': 'x ×1' });
});

test('a file takes the place of an empty directory, and not of one with children', async () => {
  expect(await treeOf(directory('d'), file('d', 'x'))).toEqual({ d: 'x ×1' });
  expect(await treeOf(file('d/f', 'child'), file('d', 'x'))).toEqual({
    d: 'directory 755',
    'd/f': 'child ×1',
    'skipped d': 'it would take the place of a directory that is not empty',
  });
});

test('a directory takes the place of a file and of a symbolic link', async () => {
  const tree = await treeOf(file('a', 'x'), link('l', 'a'), directory('a'), directory('l'), file('a/b', 'y'));
  expect(tree).toEqual({ a: 'directory 755', l: 'directory 755', 'a/b': 'y ×1' });
});

test('nothing is added below a file or a symbolic link', async () => {
  const why = 'a component of its path is there already and is no directory';
  expect(await treeOf(file('a', 'x'), file('a/b', 'y'), directory('d'), link('l', 'd'), file('l/m/n', 'z'))).toEqual({
    a: 'x ×1',
    d: 'directory 755',
    l: '-> d ×1',
    'skipped a/b': why,
    'skipped l/m/n': why,
  });
});

test('a hard link keeps what its target was when it was made', async () => {
  const tree = await treeOf(file('a', 'v1'), hardLink('b', './a'), hardLink('c', '/b'), file('a', 'v2'));
  expect(tree).toEqual({ a: 'v2 ×1', b: 'v1 ×2', c: 'v1 ×2' });
});

test('a hard link to itself changes nothing; one to a symbolic link is a further name of the link', async () => {
  const tree = await treeOf(file('a', 'v1'), hardLink('a', 'a'), link('s', 'nowhere'), hardLink('t', 's'));
  expect(tree).toEqual({ a: 'v1 ×1', s: '-> nowhere ×2', t: '-> nowhere ×2' });
});

test('hard links to nothing and to directories are left out', async () => {
  expect(await treeOf(directory('d'), hardLink('x', 'nowhere'), hardLink('y', 'd'))).toEqual({
    d: 'directory 755',
    'skipped x': 'it is a hard link to a path that the archive does not hold',
    'skipped y': 'it is a hard link to a directory',
  });
});

test('a hard link may stand before its target, also by way of another one, but takes no name from a later member', async () => {
  const early = [
    hardLink('x', 'y'),
    hardLink('y', 'later'),
    hardLink('taken', 'later'),
    hardLink('a', 'b'),
    hardLink('b', 'a'),
  ];
  expect(await treeOf(...early, file('taken', 'own'), file('later', 'content'))).toEqual({
    later: 'content ×3',
    taken: 'own ×1',
    x: 'content ×3',
    y: 'content ×3',
    'skipped a': 'it is a hard link to a path that the archive does not hold',
    'skipped b': 'it is a hard link to a path that the archive does not hold',
    'skipped taken': 'another member came to be there',
  });
});

test('a hard link may bring the data along, as cpio writes pax archives', async () => {
  const data = Buffer.concat([header({ name: 'b', type: '1', linkName: 'a', size: 4 }), Buffer.alloc(512, 'same')]);
  expect(await treeOf(file('a', 'same'), data, file('c', 'after'))).toEqual({
    a: 'same ×2',
    b: 'same ×2',
    c: 'after ×1',
  });
  const sizeOnly = header({ name: 'b', type: '1', linkName: 'a', size: 4 });
  expect(await treeOf(file('a', 'same'), sizeOnly, file('c', 'after'))).toEqual({
    a: 'same ×2',
    b: 'same ×2',
    c: 'after ×1',
  });
});

test('paths are made plain, and those that lead out of the tree are left out', async () => {
  const long = 'n'.repeat(256);
  const tree = await treeOf(
    file('/abs//./x', '1'),
    file('./y/', '2'),
    file('../up', '3'),
    file('a/../b', '4'),
    file('..a/b..', '5'),
    Buffer.concat([pax({ path: long }), file('short', '6')]),
    Buffer.concat([pax({ path: 'cut\0off' }), file('short', '7')]),
  );
  const dots = 'the path has a component `..`, which would lead out of the tree';
  expect(tree).toEqual({
    '..a': 'directory 755',
    abs: 'directory 755',
    cut: '7 ×1',
    y: 'directory 644',
    '..a/b..': '5 ×1',
    'abs/x': '1 ×1',
    'skipped ../up': dots,
    'skipped a/../b': dots,
    [`skipped ${long}`]: 'the path has a component of more than 255 bytes',
  });
});

test('children of a directory stand in the order of their bytes, whatever order they came in', async () => {
  const names = Array.from({ length: 500 }, (_, i) => `common-prefix-${(i * 7919) % 500}`);
  names.push('common-prefix-', 'common', 'Z', 'a'.repeat(100), 'a'.repeat(99));
  const tree = await treeOf(...names.map((name) => file(name, name.slice(-8))));
  const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  expect(Object.keys(tree)).toEqual(sorted);
  for (const name of names) expect(tree[name]).toBe(`${name.slice(-8)} ×1`);
});
