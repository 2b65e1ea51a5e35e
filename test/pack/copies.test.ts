import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { extractImage } from '../../src/image/extract.ts';
import { openIndex } from '../../src/image/open-image.ts';
import { loadAddon } from '../../src/native/load.ts';
import { runJob } from '../../src/native/run-job.ts';
import { walkOptions } from '../../src/pack/selection.ts';
import { compareTrees } from '../compare-trees.ts';
import { seededRandom } from '../support/random.ts';
import { contentsOf, packError } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';
import { expectRight, extractAll, extractors, hasProgram, membersOf } from './volume-scene.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const random = seededRandom(7);
const bytes = (length: number) => Buffer.from(Uint8Array.from({ length }, () => random() * 256));
const large = bytes(1_200_000);
const middle = bytes(150_000);
const small = bytes(3_000);

beforeAll(() => {
  for (const name of ['a', 'b', 'c']) mkdirSync(join(tree, name), { recursive: true });
  for (const name of ['a/large', 'b/large', 'c/large']) writeFileSync(join(tree, name), large);
  for (const name of ['a/middle', 'b/middle']) writeFileSync(join(tree, name), middle);
  for (const name of ['a/small', 'a/small too', 'b/small', 'c/small']) writeFileSync(join(tree, name), small);
  const almost = Buffer.from(small);
  almost[2999] ^= 1;
  writeFileSync(join(tree, 'b/almost'), almost);
  for (const name of ['a/empty', 'b/empty']) writeFileSync(join(tree, name), '');
  for (const name of ['a/hole', 'b/hole']) {
    writeFileSync(join(tree, name), '');
    truncateSync(join(tree, name), 1 << 20);
  }
  linkSync(join(tree, 'b/small'), join(tree, 'c/further name of b'));
  chmodSync(join(tree, 'b/small'), 0o600);
  utimesSync(join(tree, 'c/small'), 1e9, 1e9);
});
afterAll(scratch.remove);

test('files of equal content are stored once, and each stays a file of its own', async () => {
  const { index, volumes, summary } = await expectRight(scratch.path, tree, { dedupe: true });
  const plain = await expectRight(scratch.path, tree, {});
  const saved = 2 * large.length + middle.length + 3 * small.length;
  expect(summary.dedupedBytes).toBe(saved);
  expect(plain.summary.dedupedBytes).toBe(0);
  expect(plain.summary.volumeLength - summary.volumeLength).toBeGreaterThan(saved - 20_480);
  expect(contentsOf(index)).toEqual(contentsOf(plain.index));
  expect(membersOf(volumes[0] ?? '').length).toBe(membersOf(plain.volumes[0] ?? '').length);

  const opened = openIndex(index);
  const entry = (path: string) => opened.resolvePath(Buffer.from(path));
  expect(entry('b/small')?.number).not.toBe(entry('a/small')?.number);
  expect(entry('b/small')).toMatchObject({ mode: 0o100600, nlink: 2, size: 3000 });
  expect(opened.resolve(entry('c/further name of b')?.number ?? 0).number).toBe(entry('b/small')?.number);
  expect(entry('c/small')).toMatchObject({ mode: 0o100644, nlink: 1, seconds: 1e9 });
  opened.close();

  const copy = join(scratch.path, 'extracted');
  mkdirSync(copy);
  await extractImage(index, copy);
  expect(await compareTrees(tree, copy)).toEqual([]);
});

test.each(Object.keys(extractors))('%s extracts them with their content, as hard links', async (extractor) => {
  if (extractor === 'bsdtar' && !hasProgram('bsdtar')) return;
  const { volumes } = await expectRight(scratch.path, tree, { dedupe: true });
  const directory = join(scratch.path, `extracted by ${extractor}`);
  extractAll(volumes, directory, extractor);
  expect(await compareTrees(tree, directory, { ignore: ['mode', 'mtime', 'nlink', 'linked to'] })).toEqual([]);
  expect(statSync(join(directory, 'a/large')).ino).toBe(statSync(join(directory, 'c/large')).ino);
});

test('over several volumes a copy lies with its original, or is stored again', async () => {
  const many = join(scratch.path, 'many');
  for (let i = 0; i < 600; i++) {
    mkdirSync(join(many, `${i % 7}`), { recursive: true });
    writeFileSync(join(many, `${i % 7}`, `${i}`), small);
  }
  const { volumes, summary } = await expectRight(scratch.path, many, { dedupe: true, volumeSize: 120_000 });
  expect(volumes.length).toBeGreaterThan(5);
  const stored = volumes.filter((volume) => readFileSync(volume).includes(small)).length;
  expect(stored).toBe(volumes.filter((volume) => membersOf(volume).some((name) => !name.endsWith('/'))).length);
  expect(summary.dedupedBytes).toBe((600 - stored) * small.length);
  expect(Math.max(...summary.volumes.map(({ length }) => length))).toBeLessThanOrEqual(120_000);
  await expectRight(scratch.path, tree, { dedupe: true, volumeSize: 1_500_000 });
});

test('samples cannot lack files, so they exclude it', async () => {
  const options = { samples: true, dedupe: true };
  expect((await packError([tree], join(scratch.path, 'x.shoal'), options)).code).toBe('usage');
});

test('a copy or an original that changes after it was compared is told', async () => {
  const changing = join(scratch.path, 'changing');
  mkdirSync(changing);
  for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(changing, name), name < 'c' ? small : middle);
  const addon = loadAddon();
  const { catalogue } = await runJob((counters) => addon.walk(walkOptions([Buffer.from(changing)], 2, {}), counters));
  await runJob((counters) => addon.findCopies(catalogue, 2, counters));
  const plan = await addon.planVolumes(catalogue, { volumeSize: 0, level: 0 }, 2);
  expect(plan.copiedBytes).toBe(small.length + middle.length);
  writeFileSync(join(changing, 'b'), bytes(small.length));
  writeFileSync(join(changing, 'c'), bytes(middle.length));
  const volume = Buffer.from(join(scratch.path, 'changing.tar'));
  const { changed } = await runJob((counters) => addon.writeVolumes(catalogue, [volume], undefined, 2, counters));
  expect(changed.map(({ path }) => path.toString())).toEqual([join(changing, 'b'), join(changing, 'c')]);
});
