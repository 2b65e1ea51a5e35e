import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packTree } from '../../src/pack/pack-tree.ts';
import { seededRandom } from '../support/random.ts';
import { expectWhole, namesIn } from './image-files.ts';
import { killUnawaited, spinUntil, startCommand } from './pack-command.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const place = join(scratch.path, 'place');
const image = join(place, 'x.shoal');
const many = 70_000;
const few = 400_000;
let manyNames: string[];
let fewNames: string[];

beforeAll(async () => {
  mkdirSync(tree);
  mkdirSync(place);
  for (let i = 0; i < 60; i++) writeFileSync(join(tree, `${i}`), Buffer.alloc(20_000, i));
  await packTree([tree], image, { volumeSize: many });
  manyNames = namesIn(place);
  await packTree([tree], image, { volumeSize: few, force: true });
  fewNames = namesIn(place);
  expect(manyNames.length).toBeGreaterThan(20);
  expect(fewNames.length).toBeLessThan(6);
});
afterAll(scratch.remove);

const partial = join(place, 'x.shoal.partial');
const isPublished = (name: string) => existsSync(join(place, name));

test.each<[string, () => boolean]>([
  ['while it works', () => existsSync(join(partial, 'lease'))],
  ['while it writes volumes', () => existsSync(join(partial, 'x-00003.tar'))],
  ['when some volumes are published', () => isPublished('x-00002.tar')],
  ['when the last volume is published', () => isPublished(manyNames.at(-2) ?? '')],
])(
  'a run that makes many volumes and is killed %s leaves no image or a whole one, and nothing after the next run',
  async (_, moment) => {
    rmSync(place, { recursive: true });
    mkdirSync(place);
    const command = startCommand(scratch.path, 'tree', '-o', 'place/x.shoal', '--volume-size', `${many}`, '--quiet');
    spinUntil(command, moment);
    killUnawaited(command);
    const isDone = existsSync(image);
    if (isDone) await expectWhole(image);
    await packTree([tree], image, { volumeSize: few, force: isDone });
    await command.ended;
    expect(namesIn(place)).toEqual(fewNames);
  },
);

test('a run that replaces many volumes by few and is killed at any moment leaves none of them after the next run', async () => {
  const random = seededRandom(5);
  let duration = 0;
  for (let round = 0; round < 8; round++) {
    rmSync(place, { recursive: true });
    mkdirSync(place);
    await packTree([tree], image, { volumeSize: many });
    const options = ['-o', 'place/x.shoal', '--force', '--volume-size', `${few}`, '--quiet'];
    const command = startCommand(scratch.path, 'tree', ...options);
    spinUntil(command, () => existsSync(partial));
    const begun = performance.now();
    if (round === 0) {
      await command.ended;
      duration = performance.now() - begun;
      expect(namesIn(place)).toEqual(fewNames);
      continue;
    }
    const end = begun + random() * duration;
    // Every other one is killed just when the old index is gone.
    spinUntil(command, () => (round % 2 === 0 ? performance.now() >= end : !existsSync(image)));
    killUnawaited(command);
    if (existsSync(image)) await expectWhole(image);
    await packTree([tree], image, { volumeSize: few, force: true });
    expect(namesIn(place)).toEqual(fewNames);
    await command.ended;
  }
});
