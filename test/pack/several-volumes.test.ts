import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openIndex } from '../../src/image/open-image.ts';
import { indexArchive } from '../../src/indexers/index-archive.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { compareTrees } from '../compare-trees.ts';
import { runShoal } from '../support/run-shoal.ts';
import { namesIn, packError } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';
import { expectRight, extractAll, extractors, hasProgram, membersOf, type Packed } from './volume-scene.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const volumeSize = 100_000;
let packed: Packed;

beforeAll(async () => {
  for (let i = 0; i < 12; i++) {
    const directory = join(tree, `d${i}`);
    mkdirSync(join(directory, 'below'), { recursive: true });
    for (let k = 0; k < 5; k++) writeFileSync(join(directory, `f${k}`), Buffer.alloc(3000 * k + i, `${i}${k}`));
    symlinkSync('f1', join(directory, 'link'));
    linkSync(join(directory, 'f1'), join(tree, 'd0', `far-${i}`));
  }
  writeFileSync(join(tree, 'large'), Buffer.alloc(250_000, 'large'));
  for (let i = 0; i < 12; i++) {
    const directory = join(tree, `d${i}`);
    utimesSync(directory, 1e9 + i, 1e9 + i);
    if (i % 2 === 0) chmodSync(directory, 0o555);
  }
  utimesSync(tree, 9e8, 9e8);
  chmodSync(tree, 0o555);
  packed = await expectRight(scratch.path, tree, { volumeSize });
});
afterAll(() => {
  chmodSync(tree, 0o755);
  scratch.remove();
});

describe('an image in several volumes', () => {
  test('has volumes of at most the size asked for, but one for what does not fit', () => {
    const { summary, volumes } = packed;
    expect(volumes.length).toBeGreaterThan(4);
    expect(summary.volumes.map(({ name }) => name.toString())).toEqual(
      volumes.map((_, row) => `x-${String(row).padStart(5, '0')}.tar`),
    );
    expect(volumes.map((path) => statSync(path).size)).toEqual(summary.volumes.map(({ length }) => length));
    const longer = volumes.filter((path) => statSync(path).size > volumeSize);
    expect(longer.map(membersOf)).toEqual([['large']]);
    expect(summary.oversized.map(({ path }) => path.toString())).toEqual(['large']);
  });

  test('has further names in the volume of the file that they name, and directories last', () => {
    const members = packed.volumes.map(membersOf);
    for (let i = 1; i < 12; i++) {
      const row = members.findIndex((names) => names.includes(`d0/far-${i}`));
      expect(members[row]).toContain(`d${i}/f1`);
    }
    const all = members.flat();
    const first = all.findIndex((name) => name.endsWith('/'));
    expect(all.slice(first).every((name) => name.endsWith('/'))).toBe(true);
    expect(all.length - first).toBe(24);
  });

  test.each(Object.keys(extractors))(
    'is extracted volume after volume by %s, read-only directories and times included',
    async (extractor) => {
      if (extractor === 'bsdtar' && !hasProgram('bsdtar')) return;
      const directory = join(scratch.path, `extracted by ${extractor}`);
      extractAll(packed.volumes, directory, extractor);
      // Python's times are floating-point numbers.
      const ignore = extractor.startsWith('Python') ? ['mtime'] : [];
      expect(await compareTrees(tree, directory, { ignore })).toEqual([]);
      if (extractor.startsWith('Python')) expect(statSync(join(directory, 'd2')).mtimeMs).toBe(1_000_000_002_000);
    },
  );

  test('has volumes of which each can be extracted alone', () => {
    for (const [row, volume] of packed.volumes.entries()) {
      if (membersOf(volume).some((name) => name.endsWith('/'))) continue;
      extractAll([volume], join(scratch.path, `alone-${row}`), 'GNU tar');
    }
  });

  test('keeps its directories below the size, too, where there are very many', async () => {
    const many = join(scratch.path, 'many');
    for (let i = 0; i < 500; i++) mkdirSync(join(many, `${i}`), { recursive: true });
    const { volumes, summary } = await expectRight(scratch.path, many, { volumeSize });
    expect(volumes.length).toBeGreaterThan(2);
    expect(Math.max(...summary.volumes.map(({ length }) => length))).toBeLessThanOrEqual(volumeSize);
  });

  test('with room for everything is one volume that differs from the usual one in its name alone', async () => {
    const small = join(scratch.path, 'small');
    mkdirSync(small);
    writeFileSync(join(small, 'a'), 'a');
    await packTree([small], join(scratch.path, 'small.shoal'));
    const { volumes } = await expectRight(scratch.path, small, { volumeSize });
    expect(volumes.map((path) => path.slice(-11))).toEqual(['x-00000.tar']);
    expect(statSync(volumes[0] ?? '').size).toBe(statSync(join(scratch.path, 'small.tar')).size);
  });
});

describe('the index of several volumes', () => {
  const code = async (volumes: readonly string[]) =>
    await indexArchive(volumes, { output: join(scratch.path, 'no.shoal') }).then(
      () => 'none',
      (error: { code: string }) => error.code,
    );

  test('needs all of them, each once, of one image', async () => {
    const [first = '', second = ''] = packed.volumes;
    expect(await code(packed.volumes.slice(1))).toBe('missing');
    expect(await code(packed.volumes.slice(0, -1))).toBe('missing');
    expect(await code([first])).toBe('missing');
    expect(await code([...packed.volumes, first])).toBe('usage');
    expect(await code([...packed.volumes, join(scratch.path, 'small.tar')])).toBe('usage');
    expect(await code([first, second, join(scratch.path, 'small.tar')])).toBe('usage');
    expect(runShoal(['index', first, second])).toMatchObject({ status: 2 });
  });
});

describe('an image that is replaced', () => {
  const place = () => join(scratch.path, 'replaced');
  const index = () => join(place(), 'y.shoal');

  test('loses the volumes that the new one has not, but only its own', async () => {
    rmSync(place(), { recursive: true, force: true });
    mkdirSync(place());
    await packTree([tree], index(), { volumeSize });
    writeFileSync(join(place(), 'y-00099.tar'), 'a file of somebody');
    copyFileSync(join(place(), 'y-00001.tar'), join(place(), 'copy-00001.tar'));
    await packTree([tree], index(), { volumeSize: 500_000, force: true });
    expect(namesIn(place())).toEqual(['copy-00001.tar', 'y-00000.tar', 'y-00001.tar', 'y-00099.tar', 'y.shoal']);
    await packTree([tree], index(), { force: true });
    expect(namesIn(place())).toEqual(['copy-00001.tar', 'y-00099.tar', 'y.shoal', 'y.tar']);
  });

  test('keeps what bears the name of a volume, unless it may be replaced', async () => {
    writeFileSync(join(place(), 'z-00002.tar'), 'a file of somebody');
    const error = await packError([tree], join(place(), 'z.shoal'), { volumeSize });
    expect(error).toMatchObject({ code: 'exists', path: join(place(), 'z-00002.tar') });
    expect(namesIn(place()).filter((name) => name.startsWith('z'))).toEqual(['z-00002.tar']);
  });
});

describe('names of shards', () => {
  const shardNames = 'train-{000007..000146}.tar';

  test('are used one after the other, and shown by info as they were given', async () => {
    const place = join(scratch.path, 'shards');
    mkdirSync(place);
    const index = join(place, 'x.shoal');
    const { volumes } = await packTree([tree], index, { volumeSize, shardNames });
    expect(volumes[1]?.name.toString()).toBe('train-000008.tar');
    const last = String(6 + volumes.length).padStart(6, '0');
    expect(runShoal(['info', index]).stdout).toContain(`train-{000007..${last}}.tar, `);
    const opened = openIndex(index);
    expect(opened.volumes().length).toBe(volumes.length);
    opened.close();
  });

  test('that are too few, no names, or without a size are mistakes', async () => {
    const refused = async (options: object) => (await packError([tree], join(scratch.path, 'n.shoal'), options)).code;
    expect(await refused({ volumeSize, shardNames: 'train-{0..1}.tar' })).toBe('usage');
    expect(await refused({ volumeSize, shardNames: 'a/{0..9}.tar' })).toBe('usage');
    expect(await refused({ shardNames })).toBe('usage');
    expect(await refused({ volumeSize: 1000 })).toBe('usage');
    expect(namesIn(scratch.path).filter((name) => name.startsWith('n.'))).toEqual([]);
  });
});
