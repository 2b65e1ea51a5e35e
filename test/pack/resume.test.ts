import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { PackOptions } from '../../src/pack/pack-options.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { seededRandom } from '../support/random.ts';
import { type ImageFiles, isSame, namesIn, packError, readImage } from './image-files.ts';
import { killUnawaited, spinUntil, startCommand } from './pack-command.ts';
import { resumeScene } from './resume-scene.ts';

const { scratch, tree, place, image, partial, start, killRun: killRunOf } = resumeScene();
let undisturbed: ImageFiles;

beforeAll(async () => {
  const random = seededRandom(4);
  mkdirSync(join(tree, 'sub'), { recursive: true });
  for (let i = 0; i < 40; i++) {
    const bytes = Buffer.alloc(1_500_000, String(random()));
    writeFileSync(join(tree, 'sub', `${i}`), bytes.subarray(0, (i % 3) * 700_000 + 100));
  }
  writeFileSync(join(tree, 'large'), Buffer.alloc(60_000_000, 'large'));
  // Whole seconds, so that a test can put them back.
  utimesSync(join(tree, 'sub'), 1e9, 1e9);
  mkdirSync(place);
  await packTree([tree], image);
  undisturbed = readImage(image);
});
let held: number | undefined;

/** The file's inode number, which no other file gets while we hold it open. */
function inodeOf(path: string): number {
  if (held !== undefined) closeSync(held);
  held = openSync(path, 'r');
  return fstatSync(held).ino;
}

/** Kills a run when it has made something durable; returns the inode of its volume, which another one may go on with. */
function killRun(): number {
  return killRunAt(0);
}

/** The same when its journal has more than so many bytes. */
function killRunAt(length: number): number {
  const volume = join(partial, 'x.tar');
  killRunOf(length, [], () => existsSync(volume));
  return inodeOf(volume);
}

const resume: PackOptions = { resume: true };

test('a run that was killed is gone on with, in the same volume, to the same bytes', async () => {
  const volume = killRun();
  await packTree([tree], image, resume);
  expect(isSame(readImage(image), undisturbed)).toBe(true);
  expect(statSync(join(place, 'x.tar')).ino).toBe(volume);
  expect(namesIn(place)).toEqual(['x.shoal', 'x.tar']);
});

test('killed again and again, it comes to the same end', async () => {
  killRun();
  for (let round = 0; round < 3 && !existsSync(image); round++) {
    const command = start('--resume');
    spinUntil(command, () => existsSync(join(partial, 'plan')));
    killUnawaited(command);
  }
  await packTree([tree], image, resume);
  expect(isSame(readImage(image), undisturbed)).toBe(true);
  expect(namesIn(place)).toEqual(['x.shoal', 'x.tar']);
});

test('without --resume it starts over', async () => {
  const volume = killRun();
  await packTree([tree], image);
  expect(isSame(readImage(image), undisturbed)).toBe(true);
  expect(statSync(join(place, 'x.tar')).ino).not.toBe(volume);
  expect(namesIn(place)).toEqual(['x.shoal', 'x.tar']);
});

test('other options than those of the run are refused, and what it wrote is kept', async () => {
  killRun();
  const error = await packError([tree], image, { resume: true, exclude: ['large'] });
  expect(error.code).toBe('usage');
  expect(error.message).toContain('expected the sources and options of the run that was stopped');
  await packTree([tree], image, resume);
  expect(isSame(readImage(image), undisturbed)).toBe(true);
});

test('a plan of which half was written is none: the run starts over', async () => {
  killRun();
  const plan = join(partial, 'plan');
  truncateSync(plan, statSync(plan).size - 10);
  await packTree([tree], image, resume);
  expect(isSame(readImage(image), undisturbed)).toBe(true);
});

test('a journal that ends within a record is good up to there', async () => {
  killRun();
  const journal = join(partial, 'journal');
  truncateSync(journal, statSync(journal).size - 3);
  await packTree([tree], image, resume);
  expect(isSame(readImage(image), undisturbed)).toBe(true);
});

test('a volume that is gone is written again', async () => {
  killRun();
  rmSync(join(partial, 'x.tar'));
  await packTree([tree], image, resume);
  expect(isSame(readImage(image), undisturbed)).toBe(true);
});

test('what the journal says of a volume that was gone is not believed of the one in its place', async () => {
  const volume = join(partial, 'x.tar');
  for (let isAgain = true; isAgain; isAgain = existsSync(image)) {
    rmSync(place, { recursive: true });
    mkdirSync(place);
    killRunAt(4000); // what takes long to write again
    rmSync(volume);
    const options = ['-q', '--checkpoint', '1000', '--resume', '--jobs', '1'];
    const command = startCommand(scratch, 'tree', '-o', 'place/x.shoal', ...options);
    spinUntil(command, () => statSync(volume, { throwIfNoEntry: false })?.size === undisturbed.volume.length);
    killUnawaited(command);
  }
  await packTree([tree], image, resume);
  expect(isSame(readImage(image), undisturbed)).toBe(true);
});

test('a source that has changed since is told, and no image is made', async () => {
  const { mtime } = statSync(join(tree, 'sub'));
  killRun();
  writeFileSync(join(tree, 'sub', 'new'), 'came meanwhile');
  const error = await packError([tree], image, resume);
  rmSync(join(tree, 'sub', 'new'));
  utimesSync(join(tree, 'sub'), mtime, mtime);
  expect(error.code).toBe('changed');
  expect(readdirSync(place)).toEqual([]);
});

test('what is cancelled after a checkpoint is kept, and the message says how to go on', async () => {
  const abort = new AbortController();
  const error = await packError([tree], image, {
    checkpoint: 0.001,
    signal: abort.signal,
    onProgress: () => {
      if (existsSync(join(partial, 'journal'))) abort.abort();
    },
  });
  expect(error.code).toBe('cancelled');
  if (!existsSync(partial)) return; // it was cancelled before anything was durable
  expect(error.message).toContain('--resume goes on');
  await packTree([tree], image, resume);
  expect(isSame(readImage(image), undisturbed)).toBe(true);
  expect(namesIn(place)).toEqual(['x.shoal', 'x.tar']);
});

test('several volumes, listed first in another order and with copies, are gone on with', async () => {
  const options = ['--volume-size', '20M', '--dedupe'];
  await packTree([tree], join(place, 'y.shoal'), { volumeSize: 20 * 2 ** 20, dedupe: true });
  const expected = namesIn(place).map((name) => statSync(join(place, name)).size);
  for (;;) {
    const command = start(...options);
    spinUntil(command, () => (statSync(join(partial, 'journal'), { throwIfNoEntry: false })?.size ?? 0) > 0);
    killUnawaited(command);
    if (existsSync(partial) && !existsSync(image)) break;
    for (const name of namesIn(place)) if (name.startsWith('x')) rmSync(join(place, name), { recursive: true });
  }
  await packTree([tree], image, { resume: true, volumeSize: 20 * 2 ** 20, dedupe: true });
  const made = namesIn(place).filter((name) => name.startsWith('x'));
  expect(made.map((name) => statSync(join(place, name)).size)).toEqual(expected);
});
