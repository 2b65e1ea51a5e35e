import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runShoal } from '../support/run-shoal.ts';
import { packError } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';
import { expectRight, membersOf } from './volume-scene.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const list = join(scratch.path, 'list');

beforeAll(() => {
  mkdirSync(join(tree, 'd'), { recursive: true });
  for (const name of ['a', 'b', 'd/c', 'd/e']) writeFileSync(join(tree, name), Buffer.alloc(140_000, name));
  linkSync(join(tree, 'a'), join(tree, 'd', 'alias'));
});
afterAll(scratch.remove);

const filesOf = (volume = '') => membersOf(volume).filter((name) => !name.endsWith('/'));

describe('an order that a file gives', () => {
  test('puts what it lists first, further names behind their file, the others behind in the order of the index', async () => {
    writeFileSync(list, './d/e\n\nd/alias\nnowhere\nd\n../a\nd/e\nb');
    const { volumes, summary } = await expectRight(scratch.path, tree, { order: list });
    expect(filesOf(volumes[0])).toEqual(['d/e', 'a', 'd/alias', 'b', 'd/c']);
    expect(summary.strays).toEqual({ first: ['nowhere', 'd', '../a'].map((path) => Buffer.from(path)), count: 3 });
  });

  test('may list paths that end in a NUL', async () => {
    writeFileSync(join(tree, 'new\nline'), 'x');
    writeFileSync(list, 'new\nline\0d/c\0');
    const { volumes } = await expectRight(scratch.path, tree, { order: list, orderNull: true });
    expect(filesOf(volumes[0]).slice(0, 2)).toEqual(['new\\nline', 'd/c']);
  });

  test('holds over several volumes', async () => {
    writeFileSync(list, 'd/e\nd/c\nb\na\n');
    const { volumes } = await expectRight(scratch.path, tree, { order: list, volumeSize: 200_000 });
    expect(volumes.map(filesOf)).toEqual([['d/e'], ['d/c'], ['b'], ['a', 'd/alias', 'new\\nline']]);
  });

  test('that cannot be read is told before any work', async () => {
    const error = await packError([tree], join(scratch.path, 'x.shoal'), { order: join(scratch.path, 'none') });
    expect(error).toMatchObject({ code: 'missing', path: join(scratch.path, 'none') });
  });

  test('is told of what it names in vain', () => {
    writeFileSync(list, 'p\nq\nr\ns\n');
    const ran = runShoal(['pack', tree, '-o', join(scratch.path, 'y.shoal'), '--order', list]);
    expect(ran.stderr).toContain('4 paths are no file of the image: p, q, r, and 1 more');
    expect(ran.status).toBe(0);
  });
});

describe('samples', () => {
  test('are in one volume each, whatever else is called alike', async () => {
    const samples = join(scratch.path, 'samples');
    mkdirSync(join(samples, 'sub'), { recursive: true });
    mkdirSync(join(samples, '3.dir'));
    for (let i = 0; i < 9; i++) {
      for (const ending of ['.cls', '.seg.png', '.jpg', '-not', '']) {
        writeFileSync(join(samples, `${i}${ending}`), Buffer.alloc(10_000, i));
        writeFileSync(join(samples, 'sub', `${i}${ending}`), Buffer.alloc(11_000, i));
      }
    }
    writeFileSync(join(samples, '.hidden.a'), 'x');
    writeFileSync(list, '5.jpg\nsub/5.cls\n');
    const { volumes } = await expectRight(scratch.path, samples, { samples: true, volumeSize: 80_000, order: list });
    expect(volumes.flatMap(filesOf).slice(0, 6)).toEqual([
      '5.cls',
      '5.jpg',
      '5.seg.png',
      'sub/5.cls',
      'sub/5.jpg',
      'sub/5.seg.png',
    ]);
    const rows = new Map<string, Set<number>>();
    volumes.forEach((volume, row) => {
      for (const name of filesOf(volume)) {
        const [, key] = /^((?:.*\/|)[^./]+)\.[^/]*$/.exec(name) ?? [];
        if (key !== undefined) rows.set(key, (rows.get(key) ?? new Set()).add(row));
      }
    });
    expect(rows.size).toBe(18);
    expect([...rows.values()].every((of) => of.size === 1)).toBe(true);
    expect(volumes.length).toBeGreaterThan(9);
  });
});
