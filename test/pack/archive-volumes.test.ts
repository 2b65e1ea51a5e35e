import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ArchiveOptions, packArchive } from '../../src/pack/pack-archive.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { seededRandom } from '../support/random.ts';
import { removeTree } from '../support/remove-tree.ts';
import { runShoal } from '../support/run-shoal.ts';
import { contentsOf, expectWhole, namesIn } from './image-files.ts';
import { arbitraryFiles, makeMemberTree } from './member-tree.ts';
import { scratchDirectory } from './pack-process.ts';
import { expectSameBytes, membersOf, packInto } from './volume-scene.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const archive = join(scratch.path, 'tree.tar');
const place = (name: string) => mkdtempSync(join(scratch.path, `${name}-`));

beforeAll(() => {
  const random = seededRandom(11);
  for (let number = 0; number < 300; number++) {
    const directory = join(tree, `d${number % 7}`, `e${number % 3}`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `f${number}`), Buffer.alloc(random() * 60_000, `content ${number} `));
  }
  writeFileSync(join(tree, 'large'), Buffer.alloc(9_000_000, 'large'));
  tar(tree, archive, (paths) => paths.reverse());
});
afterAll(scratch.remove);

/** A tar whose members stand in another order than those of an image. */
function tar(tree: string, output: string, order: (paths: string[]) => string[]): void {
  const listed = execFileSync('find', ['.', '-print0'], { cwd: tree, encoding: 'latin1' });
  const paths = order(listed.split('\0').filter((path) => path !== ''));
  execFileSync(
    'tar',
    ['--format=posix', '--sparse', '--no-recursion', '--null', '-C', tree, '-T', '-', '-cf', output],
    { input: paths.join('\0') },
  );
}

/** The image of the archive is that of the tree: the same files, and in the directory nothing else. */
async function expectSameImage(archive: string, tree: string, options: ArchiveOptions, dedupe = false): Promise<void> {
  const [found, expected] = [place('found'), place('expected')];
  const packed = await packInto(expected, tree, { ...options, dedupe });
  const { volumes, dedupedBytes } = await packArchive(archive, join(found, 'x.shoal'), options);
  expect({ volumes, dedupedBytes }).toEqual({
    volumes: packed.summary.volumes,
    dedupedBytes: packed.summary.dedupedBytes,
  });
  expect(namesIn(found)).toEqual(namesIn(expected));
  for (const name of readdirSync(expected)) expectSameBytes(join(found, name), join(expected, name));
}

describe('volumes of an archive are those of the tree', () => {
  test.each([
    ['compressed', { compress: 'zstd:1' }],
    ['more than are open at once', { volumeSize: 100_000 }],
    ['compressed ones', { compress: 'zstd:1', volumeSize: 2_000_000, jobs: 3 }],
  ] satisfies [string, ArchiveOptions][])('%s', async (_, options) => {
    await expectSameImage(archive, tree, options);
  });

  test('whatever the tree, the options, and the order of the archive', async () => {
    const options = fc.record({
      compress: fc.constantFrom('none', 'zstd:1'),
      volumeSize: fc.constantFrom(undefined, 65_536, 100_000, 300_000),
      samples: fc.boolean(),
      jobs: fc.constantFrom(1, 4),
    });
    const source = fc.constantFrom('tar', 'volume', 'volume with copies');
    await fc.assert(
      fc.asyncProperty(arbitraryFiles, options, source, fc.nat(), async (files, given, kind, seed) => {
        const directory = place('run');
        const [some, list, other] = ['tree', 'list', 'other.shoal'].map((name) => join(directory, name)) as [
          string,
          string,
          string,
        ];
        const made = makeMemberTree(some, files);
        const shuffled = (paths: string[]) => {
          const random = seededRandom(seed);
          const keys = new Map(paths.map((path) => [path, random()]));
          return paths.sort((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
        };
        const volume = join(directory, 'other.tar');
        if (kind === 'tar') tar(some, volume, shuffled);
        else {
          writeFileSync(
            list,
            shuffled(made)
              .map((path) => `${path}\n`)
              .join(''),
          );
          await packTree([some], other, { dedupe: kind === 'volume with copies', order: list });
        }
        // Copies stay copies, but where samples are to be whole.
        await expectSameImage(volume, some, given, kind === 'volume with copies' && !given.samples);
        removeTree(directory);
      }),
      { numRuns: 60, interruptAfterTimeLimit: 30_000 },
    );
  }, 60_000);
});

test('an archive that is one of several volumes is refused, because it holds a part of the tree', async () => {
  const from = place('several');
  const { volumes } = await packInto(from, tree, { volumeSize: 3_000_000 });
  const packing = packArchive(volumes[1] ?? '', join(from, 'y.shoal'));
  await expect(packing).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining(`volume 2 of ${volumes.length}`),
  });
});

test('a compressed volume of Shoal is an archive like any other', async () => {
  const from = place('compressed');
  const { volumes, index } = await packInto(from, tree, { compress: 'zstd' });
  const to = join(place('plain'), 'x.shoal');
  await packArchive(volumes[0] ?? '', to);
  await expectWhole(to);
  expect(contentsOf(to)).toEqual(contentsOf(index));
});

test('copies of what comes later in the order of an image are copies the other way round', async () => {
  const from = place('turned');
  mkdirSync(join(from, 'two'));
  for (const name of ['a', 'z']) {
    writeFileSync(join(from, 'two', name), 'the same');
    utimesSync(join(from, 'two', name), 1e9, 1e9);
  }
  const { volumes, index } = await packInto(from, join(from, 'two'), { dedupe: true });
  const [volume = ''] = volumes;
  const turned = join(from, 'turned.tar');
  writeFileSync(turned, swapNames(readFileSync(volume)));
  expect(membersOf(turned)).toEqual(membersOf(volume).reverse());
  const to = join(place('again'), 'x.shoal');
  await packArchive(turned, to);
  expectSameBytes(to, index);
  expectSameBytes(join(to, '..', 'x.tar'), volume);
});

/** The tar with the names `a` and `z` swapped. */
function swapNames(tar: Buffer): Buffer {
  const other: Record<string, string> = { a: 'z', z: 'a' };
  for (let block = 0; block < tar.length; block += 512) {
    const header = tar.subarray(block, block + 512);
    if (header.toString('latin1', 257, 262) !== 'ustar') continue;
    for (const field of [0, 157]) {
      const name = other[header.toString('latin1', field, field + 2).replace('\0', '')];
      if (name !== undefined) header.write(name, field, 'latin1');
    }
    header.fill(' ', 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
  return tar;
}

describe('a request for an archive', () => {
  test.each([
    ['--part', '1/2'],
    ['--exclude', 'x'],
    ['--files-from', '-'],
    ['--one-file-system'],
    ['--skip-unreadable'],
    ['--dedupe'],
    ['--remove-source'],
    ['--resume'],
    ['--checkpoint', '3'],
    ['--dry-run'],
    ['--compress', 'auto'],
  ])('together with what needs files is refused before any work: %s', (...option) => {
    const directory = place('refused');
    const { status, stderr } = runShoal(['pack', '--from-archive', archive, '-o', 'x.shoal', ...option], {
      cwd: directory,
    });
    expect(stderr).toContain(option[0]);
    expect(status).toBe(2);
    expect(namesIn(directory)).toEqual([]);
  });

  test('ends when it is told to, though standard input goes on', async () => {
    const directory = place('waiting');
    const shoal = join(import.meta.dirname, '../../bin/shoal.js');
    const child = spawn(process.execPath, [shoal, 'pack', '--from-archive', '-', '-o', 'x.shoal'], {
      cwd: directory,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const ended = once(child, 'exit');
    child.stdin.write(readFileSync(archive).subarray(0, 1000));
    await expect.poll(() => namesIn(directory)).toContain('x.shoal.partial');
    child.kill('SIGTERM');
    expect(await ended).toEqual([143, null]);
    expect(namesIn(directory)).toEqual([]);
  });

  test('replaces an image, and what it had more of volumes', async () => {
    const directory = place('replaced');
    const image = join(directory, 'x.shoal');
    await packTree([tree], image, { volumeSize: 3_000_000 });
    copyFileSync(archive, join(directory, 'from.tar'));
    await packArchive(join(directory, 'from.tar'), image, { force: true });
    await expectWhole(image);
    expect(namesIn(directory)).toEqual(['from.tar', 'x.shoal', 'x.tar']);
  });
});
