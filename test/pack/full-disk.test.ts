import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { PackSummary } from '../../src/pack/pack-summary.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { expectWhole, isSame, namesIn, packError, readImage } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const small = join(scratch.path, 'small');
const disk = join(scratch.path, 'disk');
const image = join(disk, 'x.shoal');
let needed: PackSummary;
let mounted = false;

beforeAll(async () => {
  mkdirSync(tree);
  mkdirSync(small);
  mkdirSync(disk);
  for (let i = 0; i < 1000; i++) writeFileSync(join(tree, `${'a-long-name-'.repeat(20)}${i}`), `content of ${i}`);
  writeFileSync(join(small, 'file'), 'content');
  needed = await packTree([tree], join(scratch.path, 'elsewhere.shoal'));
});
beforeEach((ctx) => {
  if (process.getuid?.() !== 0) ctx.skip('needs root to mount a small filesystem');
  const found = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'shoal-test', disk], { encoding: 'utf8' });
  if (found.status !== 0) ctx.skip(`may not mount: ${found.stderr}`);
  mounted = true;
});
afterEach(() => {
  if (mounted) spawnSync('umount', ['-l', disk]);
  mounted = false;
});
afterAll(scratch.remove);

/** Leaves room for `bytes` in the filesystem, rounded up to pages. */
function leaveRoom(bytes: number): void {
  const page = 4096;
  const size = 64 * 2 ** 20;
  const file = openSync(join(disk, 'filler'), 'w');
  const block = Buffer.alloc(page);
  let pages = 0;
  try {
    for (; pages * page < size; pages++) writeSync(file, block, 0, page, pages * page);
  } catch {
    // Full, and what else is there has its part of it.
  }
  closeSync(file);
  truncate(Math.max(0, pages - Math.ceil(bytes / page)) * page);
}

function truncate(length: number): void {
  const found = spawnSync('truncate', ['-s', `${length}`, join(disk, 'filler')], { encoding: 'utf8' });
  expect(found.stderr).toBe('');
}

test('a volume that does not fit is told with the bytes that it needs, and nothing is left', async () => {
  for (const room of [20_000, needed.volumeLength / 2, needed.volumeLength - 8192]) {
    leaveRoom(room);
    const refused = await packError([tree], image);
    expect(refused.code).toBe('io');
    expect(refused.message).toMatch(/no space left/i);
    expect(refused.message).toContain(`${needed.volumeLength} bytes`);
    expect(namesIn(disk)).toEqual(['filler']);
  }
});

test('an index that does not fit is told, and nothing is left', async () => {
  // The directory and the lease take room as well, and the index takes more than it finds.
  leaveRoom(needed.volumeLength + needed.indexLength / 2);
  const refused = await packError([tree], image);
  expect(refused).toMatchObject({ code: 'io', message: expect.stringMatching(/no space left/i) });
  expect(refused.path).toContain('x.shoal');
  expect(namesIn(disk)).toEqual(['filler']);
});

test('an old image stays whole where the new one does not fit, whatever was asked for', async () => {
  await packTree([small], image);
  const before = readImage(image);
  for (const room of [20_000, needed.volumeLength - 8192, needed.volumeLength + needed.indexLength / 2]) {
    leaveRoom(room);
    const refused = await packError([tree], image, { force: true });
    expect(refused).toMatchObject({ code: 'io', message: expect.stringMatching(/no space left/i) });
    expect(isSame(readImage(image), before)).toBe(true);
    expect(namesIn(disk)).toEqual(['filler', 'x.shoal', 'x.tar']);
  }
});

test('when there is room, the next run makes the image', async () => {
  leaveRoom(needed.volumeLength / 2);
  await packError([tree], image);
  truncate(0);
  await packTree([tree], image);
  await expectWhole(image);
});

test('a disk without any room is told, nothing is left, and the next run makes the image when there is some', async () => {
  leaveRoom(0);
  expect(await packError([tree], image)).toMatchObject({
    code: 'io',
    message: expect.stringMatching(/no space left/i),
  });
  expect(namesIn(disk)).toEqual(['filler']);
  rmSync(join(disk, 'filler'));
  await packTree([tree], image);
  await expectWhole(image);
});
