import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { packTree } from '../../src/pack/pack-tree.ts';
import { seededRandom } from '../support/random.ts';
import { expectWhole, type ImageFiles, isSame, namesIn, packError, readImage } from './image-files.ts';
import { killUnawaited, spinUntil, startCommand } from './pack-command.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const place = join(scratch.path, 'place');
const image = join(place, 'x.shoal');
const volume = join(place, 'x.tar');
const partial = join(place, 'x.shoal.partial');
const isThere = (...names: string[]) => existsSync(join(partial, ...names));
let undisturbed: ImageFiles;

beforeAll(async () => {
  mkdirSync(join(tree, 'sub'), { recursive: true });
  for (let i = 0; i < 100; i++) writeFileSync(join(tree, 'sub', `${i}`), Buffer.alloc(10_000 * (i % 7), i));
  writeFileSync(join(tree, 'large'), Buffer.alloc(20_000_000, 'large'));
  mkdirSync(place);
  await packTree([tree], image);
  undisturbed = readImage(image);
});
beforeEach(() => {
  rmSync(place, { recursive: true });
  mkdirSync(place);
});
afterAll(scratch.remove);

/** What must hold whenever the process was killed, and that the next run makes up for it. */
async function expectAtomic(): Promise<void> {
  const published = existsSync(image);
  if (published) {
    await expectWhole(image);
    expect(isSame(readImage(image), undisturbed)).toBe(true);
    expect((await packError([tree], image)).code).toBe('exists');
  } else {
    await packTree([tree], image);
  }
  expect(namesIn(place)).toEqual(['x.shoal', 'x.tar']);
  expect(isSame(readImage(image), undisturbed)).toBe(true);
}

describe('a run that is killed', () => {
  test.each<[string, () => boolean]>([
    ['when its directory is there', () => isThere()],
    ['when its lease is there', () => isThere('lease')],
    ['when the volume is begun', () => isThere('x.tar') || existsSync(volume)],
    ['when the volume has bytes', () => (statSync(join(partial, 'x.tar'), { throwIfNoEntry: false })?.blocks ?? 0) > 0],
    ['when the index is begun', () => isThere('x.shoal') || existsSync(image)],
    ['when the volume has its name', () => existsSync(volume)],
    ['when the volume has no other name', () => existsSync(volume) && !isThere('x.tar')],
    ['when the index has its name', () => existsSync(image)],
    ['when it cleans up', () => existsSync(image) && !isThere('lease')],
  ])('%s leaves a whole image or none, and the next run makes it', async (_, moment) => {
    for (let round = 0; round < 2; round++) {
      const command = startCommand(scratch.path, 'tree', '-o', 'place/x.shoal', '--quiet');
      spinUntil(command, moment);
      killUnawaited(command);
      await expectAtomic();
      await command.ended;
      rmSync(place, { recursive: true });
      mkdirSync(place);
    }
  });

  test('at any moment leaves a whole image or none, and the next run makes it', async () => {
    const random = seededRandom(1);
    const timed = startCommand(scratch.path, 'tree', '-o', 'place/x.shoal', '--quiet');
    spinUntil(timed, () => isThere());
    const begun = performance.now();
    spinUntil(timed, () => existsSync(image));
    const duration = performance.now() - begun;
    expect((await timed.ended).status).toBe(0);

    for (let round = 0; round < 10; round++) {
      rmSync(place, { recursive: true });
      mkdirSync(place);
      const command = startCommand(scratch.path, 'tree', '-o', 'place/x.shoal', '--quiet');
      spinUntil(command, () => isThere());
      const end = performance.now() + random() * duration;
      spinUntil(command, () => performance.now() >= end);
      killUnawaited(command);
      await expectAtomic();
      await command.ended;
    }
  });

  test('twice in a row, the second time while it removes what the first left, keeps nobody from packing', async () => {
    for (const moment of [
      () => isThere('x.shoal'),
      () => readdirSync(place).some((name) => /^x\.shoal\.partial\./.test(name)),
      () => !isThere(),
    ]) {
      const command = startCommand(scratch.path, 'tree', '-o', 'place/x.shoal', '--quiet');
      spinUntil(command, moment);
      killUnawaited(command);
      await command.ended;
    }
    await expectAtomic();
  });
});
