import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { PackOptions } from '../../src/pack/pack-options.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { seededRandom } from '../support/random.ts';
import { expectWhole, namesIn, packError } from './image-files.ts';
import { killUnawaited, spinUntil } from './pack-command.ts';
import { resumeScene } from './resume-scene.ts';

const { scratch, tree, place, image, partial, journal, start, killRun } = resumeScene();
const options: PackOptions = { compress: 'zstd:1', resume: true };
const several: PackOptions = { ...options, volumeSize: 16 * 2 ** 20, order: join(scratch, 'order'), dedupe: true };
const asked = ['--compress', 'zstd:1'];
const severalAsked = [...asked, '--volume-size', '16M', '--order', join(scratch, 'order'), '--dedupe'];
let undisturbed: Map<string, Buffer>;

beforeAll(async () => {
  const random = seededRandom(5);
  const noise = Buffer.from(Array.from({ length: 1_500_000 }, () => Math.floor(random() * 256)));
  mkdirSync(join(tree, 'sub'), { recursive: true });
  for (let i = 0; i < 60; i++) writeFileSync(join(tree, 'sub', `${i}`), noise.subarray(i, (i % 3) * 500_000 + i + 100));
  writeFileSync(join(tree, 'large'), Buffer.concat([...Array.from({ length: 20 }, () => noise), Buffer.alloc(2e6)]));
  writeFileSync(join(scratch, 'order'), 'sub/59\nlarge\n');
  mkdirSync(place);
  await packTree([tree], image, { compress: 'zstd:1' });
  undisturbed = filesIn(place);
});
function filesIn(directory: string): Map<string, Buffer> {
  return new Map(namesIn(directory).map((name) => [name, readAll(join(directory, name))]));
}

function readAll(path: string): Buffer {
  const descriptor = openSync(path, 'r');
  const bytes = Buffer.alloc(statSync(path).size);
  readSync(descriptor, bytes);
  closeSync(descriptor);
  return bytes;
}

function expectUndisturbed(): void {
  const made = filesIn(place);
  expect([...made.keys()]).toEqual([...undisturbed.keys()]);
  for (const [name, bytes] of made) expect([name, undisturbed.get(name)?.equals(bytes)]).toEqual([name, true]);
}

function volumeIn(directory: string): string {
  const name = readdirSync(directory).find((found) => found.endsWith('.tar.zst'));
  if (name === undefined) throw new Error('expected a volume');
  return join(directory, name);
}

test('a run that was killed is gone on with, in the same volume, to the same bytes', async () => {
  killRun(0, asked);
  // Held open, so that no other file gets its inode number.
  const held = openSync(volumeIn(partial), 'r');
  await packTree([tree], image, options);
  expect(statSync(volumeIn(place)).ino).toBe(fstatSync(held).ino);
  closeSync(held);
  expectUndisturbed();
});

test('killed again and again, it comes to the same end, of which it writes less each time', async () => {
  killRun(0, asked);
  let length = statSync(journal).size;
  for (let round = 0; round < 4 && !existsSync(image); round++) {
    const command = start(...asked, '--resume');
    spinUntil(command, () => (statSync(journal, { throwIfNoEntry: false })?.size ?? 0) > length);
    killUnawaited(command);
    const now = statSync(journal, { throwIfNoEntry: false })?.size ?? length;
    expect(now).toBeGreaterThanOrEqual(length);
    length = now;
  }
  if (!existsSync(image)) await packTree([tree], image, options);
  expectUndisturbed();
});

test('frames that were durable are not written again: where one is damaged meanwhile, reading back tells it', async () => {
  killRun(1000, asked);
  const descriptor = openSync(volumeIn(partial), 'r+');
  const byte = Buffer.alloc(1);
  // Within the second frame.
  readSync(descriptor, byte, 0, 1, 150_000);
  writeSync(descriptor, Buffer.from([byte.readUInt8() ^ 1]), 0, 1, 150_000);
  closeSync(descriptor);
  const error = await packError([tree], image, options);
  expect(error.message).toMatch(/^expected to read back \d+ entries as written, found /);
  expect(existsSync(image)).toBe(false);
});

test('a journal that ends within a record is good up to there, wherever that is', async () => {
  killRun(1000, asked);
  const { size } = statSync(journal);
  truncateSync(journal, size - 3);
  await packTree([tree], image, options);
  expectUndisturbed();
  for (const length of [8, 50, 200]) {
    rmSync(place, { recursive: true });
    mkdirSync(place);
    killRun(length, asked);
    truncateSync(journal, length);
    await packTree([tree], image, options);
    expectUndisturbed();
  }
});

test('a volume that is gone, or shorter than the journal says, is written again', async () => {
  for (const damage of [(path: string) => rmSync(path), (path: string) => truncateSync(path, 1000)]) {
    rmSync(place, { recursive: true });
    mkdirSync(place);
    killRun(1000, asked);
    damage(volumeIn(partial));
    await packTree([tree], image, options);
    expectUndisturbed();
  }
});

test('several volumes, listed first in another order and with copies, are gone on with', async () => {
  const { resume: _, ...once } = several;
  await packTree([tree], join(place, 'x.shoal'), once);
  const expected = filesIn(place);
  expect(expected.size).toBeGreaterThan(3);
  for (const length of [0, 2000, 4000]) {
    rmSync(place, { recursive: true });
    mkdirSync(place);
    killRun(length, severalAsked);
    await packTree([tree], image, several);
    const made = filesIn(place);
    expect([...made.keys()]).toEqual([...expected.keys()]);
    for (const [name, bytes] of made) expect([name, expected.get(name)?.equals(bytes)]).toEqual([name, true]);
  }
  await expectWhole(image);
});

test('what is cancelled after a checkpoint is kept, and the message says how to go on', async () => {
  const abort = new AbortController();
  const error = await packError([tree], image, {
    compress: 'zstd:1',
    checkpoint: 0.001,
    signal: abort.signal,
    onProgress: () => {
      if (existsSync(journal)) abort.abort();
    },
  });
  expect(error.code).toBe('cancelled');
  if (!existsSync(partial)) return; // it was cancelled before anything was durable
  expect(error.message).toContain('--resume goes on');
  await packTree([tree], image, options);
  expectUndisturbed();
});
