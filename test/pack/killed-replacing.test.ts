import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { packTree } from '../../src/pack/pack-tree.ts';
import { seededRandom } from '../support/random.ts';
import { expectWhole, type ImageFiles, isSame, namesIn, readImage, writeImage } from './image-files.ts';
import { killUnawaited, type PackCommand, spinUntil, startCommand } from './pack-command.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const place = join(scratch.path, 'place');
const image = join(place, 'x.shoal');
const volume = join(place, 'x.tar');
let before: ImageFiles;
let after: ImageFiles;
let oldVolume: number;

beforeAll(async () => {
  mkdirSync(join(tree, 'sub'), { recursive: true });
  mkdirSync(place);
  writeFileSync(join(tree, 'sub', 'old'), 'content of old');
  await packTree([tree], image);
  before = readImage(image);
  for (let i = 0; i < 100; i++) writeFileSync(join(tree, 'sub', `${i}`), Buffer.alloc(10_000 * (i % 7), i));
  writeFileSync(join(tree, 'large'), Buffer.alloc(5_000_000, 'large'));
  await packTree([tree], image, { force: true });
  after = readImage(image);
});
beforeEach(startAnew);
afterAll(scratch.remove);

function startAnew(): void {
  rmSync(place, { recursive: true });
  mkdirSync(place);
  writeImage(image, before);
  oldVolume = inode(volume) ?? 0;
}

function inode(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

function startReplacing(): PackCommand {
  return startCommand(scratch.path, 'tree', '-o', 'place/x.shoal', '--force', '--quiet');
}

type Found = 'old' | 'none' | 'new';

/** What must hold whenever the process was killed, and that the next run makes up for it. */
async function expectOldOrNoneOrNew(): Promise<Found> {
  let found: Found = 'none';
  if (existsSync(image)) {
    await expectWhole(image);
    const files = readImage(image);
    expect(isSame(files, before) || isSame(files, after)).toBe(true);
    found = isSame(files, before) ? 'old' : 'new';
  }
  await packTree([tree], image, { force: true });
  expect(namesIn(place)).toEqual(['x.shoal', 'x.tar']);
  expect(isSame(readImage(image), after)).toBe(true);
  return found;
}

describe('a run that replaces an image and is killed', () => {
  test.each<[string, () => boolean, Found | undefined]>([
    ['when it works', () => existsSync(join(place, 'x.shoal.partial', 'lease')), 'old'],
    ['when the old index is gone', () => !existsSync(image), undefined],
    ['when the old volume is gone', () => inode(volume) !== oldVolume, undefined],
    ['when the new index is there', () => inode(volume) !== oldVolume && existsSync(image), 'new'],
  ])('%s leaves the old image, none, or the new one', async (_, moment, expected) => {
    for (let round = 0; round < 3; round++) {
      startAnew();
      const command = startReplacing();
      spinUntil(command, moment);
      killUnawaited(command);
      const found = await expectOldOrNoneOrNew();
      if (expected !== undefined) expect(found).toBe(expected);
      await command.ended;
    }
  });

  test('at any moment leaves the old image, none, or the new one', async () => {
    const random = seededRandom(2);
    const timed = startReplacing();
    spinUntil(timed, () => existsSync(join(place, 'x.shoal.partial')));
    const begun = performance.now();
    await timed.ended;
    const duration = performance.now() - begun;

    for (let round = 0; round < 10; round++) {
      startAnew();
      const command = startReplacing();
      spinUntil(command, () => existsSync(join(place, 'x.shoal.partial')));
      const end = performance.now() + random() * duration;
      spinUntil(command, () => performance.now() >= end);
      killUnawaited(command);
      await expectOldOrNoneOrNew();
      await command.ended;
    }
  });
});
