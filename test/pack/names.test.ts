import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Image } from '../../src/image/image.ts';
import { openImage } from '../../src/image/open-image.ts';
import { verifyImage } from '../../src/image/verify.ts';
import { indexArchive } from '../../src/indexers/index-archive.ts';
import type { PackSummary } from '../../src/pack/pack-summary.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { compareTrees } from '../compare-trees.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const image = join(scratch.path, 'x.shoal');
const slash = 0x2f;
const bytes = Array.from({ length: 255 }, (_, i) => i + 1);
const inNames = bytes.filter((byte) => byte !== slash);
const below = (...names: (string | Buffer)[]) =>
  Buffer.concat(names.flatMap((name) => [Buffer.from('/'), Buffer.from(name)]).slice(1));
const withPlace = (path: Buffer) => below(tree, path);

/** The paths of files; each one's content is its path. */
const files: Buffer[] = [
  // Not "." alone, which is the directory itself.
  ...inNames.filter((byte) => byte !== 0x2e).map((byte) => below('alone', Buffer.from([byte]))),
  ...inNames.map((byte) => below('first', Buffer.from([byte, 0x78]))),
  ...inNames.map((byte) => below('last', Buffer.from([0x78, byte]))),
  ...inNames.map((byte) => below('within', Buffer.from([0x2e, 0x2e, byte, 0x2e]))),
  // Longer than a tar header's field, and as long as a name can be.
  ...inNames.map((byte) => below('long', Buffer.concat([Buffer.from([byte]), Buffer.alloc(100, 'x')]))),
  ...inNames.map((byte) => below('longest', Buffer.alloc(255, byte))),
  ...inNames.map((byte) => below('directories', Buffer.from([0x64, byte]), Buffer.from([byte, byte, byte]))),
];
const links = [
  ...bytes.map((byte) => [below('links', Buffer.from(`to-${byte}`)), Buffer.from([byte])] as const),
  ...bytes.map((byte) => [below('links', Buffer.from(`long-${byte}`)), Buffer.alloc(300, byte)] as const),
];
let opened: Image;
let packed: PackSummary;

beforeAll(async () => {
  for (const name of ['alone', 'first', 'last', 'within', 'long', 'longest', 'directories', 'links']) {
    mkdirSync(join(tree, name), { recursive: true });
  }
  for (const byte of inNames) mkdirSync(withPlace(below('directories', Buffer.from([0x64, byte]))));
  for (const path of files) writeFileSync(withPlace(path), path);
  for (const [path, target] of links) symlinkSync(target, withPlace(path));
  packed = await packTree([tree], image);
  opened = openImage(image);
});
afterAll(() => {
  opened?.close();
  scratch.remove();
});

test('every name that a file can have is found, and leads to its content', () => {
  const wrong = files.filter((path) => {
    const entry = opened.index.resolvePath(path);
    return entry === undefined || !opened.read(entry, 0, entry.size).equals(path);
  });
  expect(wrong).toEqual([]);
});

test('names are stored as they are, and sorted by their bytes', () => {
  const { index } = opened;
  for (const name of ['alone', 'first', 'last', 'within', 'long', 'longest', 'links']) {
    const directory = index.resolvePath(Buffer.from(name));
    if (directory === undefined) throw new Error(`${name} is not there`);
    const found = [...index.children(directory)].map(({ number }) => index.entryPath(number));
    const expected = [...files, ...links.map(([path]) => path)].filter((path) => path.indexOf(`${name}/`) === 0);
    expect(found).toEqual(expected.sort(Buffer.compare));
  }
});

test('symbolic links lead where they did, to any bytes', () => {
  const wrong = links.filter(([path, target]) => {
    const entry = opened.index.resolvePath(path);
    return entry === undefined || !opened.index.linkTarget(entry).equals(target);
  });
  expect(wrong).toEqual([]);
});

test('the image is found to be like the tree', async () => {
  const { problems, differences } = await verifyImage(image, { against: tree });
  expect({ problems, differences }).toEqual({ problems: [], differences: [] });
});

test('tar makes the same tree of the volume', async () => {
  const target = join(scratch.path, 'extracted');
  mkdirSync(target);
  execFileSync('tar', ['-C', target, '-xpf', join(scratch.path, 'x.tar')], { env: { ...process.env, LC_ALL: 'C' } });
  expect(await compareTrees(tree, target)).toEqual([]);
});

test('the same entries are found in the volume without its index', async () => {
  const { id } = await indexArchive(join(scratch.path, 'x.tar'), { output: join(scratch.path, 'again.shoal') });
  expect(id).toBe(packed.id);
});
