import { closeSync, openSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compareTrees } from '../compare-trees.ts';
import { makeTortureTree } from '../torture-tree.ts';
import { run, scene } from './scene.ts';

test('every attribute and every byte of the worst tree is the same through the mount', async (ctx) => {
  const { source, directory, pack, mount } = scene(ctx);
  const notes = makeTortureTree(join(source, 'tree'), { crowd: 3000 });
  await pack();
  await mount();
  expect(notes.sockets.length).toBeGreaterThan(0);
  expect(await compareTrees(source, directory, { ignore: ['sockets'] })).toEqual([]);
});

test('a directory of 100 000 files is listed completely and without duplicates', async (ctx) => {
  const { source, directory, pack, mount } = scene(ctx);
  const names = Array.from({ length: 100_000 }, (_, number) => `f${number}`);
  for (const name of names) closeSync(openSync(join(source, name), 'w'));
  await pack();
  await mount();
  const listed = run('find', [directory, '-mindepth', '1', '-printf', '%f %i %d %y\n']).trimEnd().split('\n');
  const column = (number: number) => listed.map((line) => line.split(' ')[number] as string);
  // Compared as one string: a list of so many elements takes a matcher seconds.
  expect(column(0).sort().join()).toBe(names.sort().join());
  expect(new Set(column(1)).size).toBe(names.length);
  expect(readdirSync(directory).sort().join()).toBe(names.join());
});

test('holes are told as holes, and take no blocks', async (ctx) => {
  const { source, directory, pack, mount } = scene(ctx);
  const script =
    'import os,sys\nf=os.open(sys.argv[1],os.O_RDWR|os.O_CREAT)\nos.pwrite(f,b"begin",0)\nos.pwrite(f,b"end",50<<20)\nos.ftruncate(f,100<<20)';
  run('python3', ['-c', script, join(source, 'sparse')]);
  if (statSync(join(source, 'sparse')).blocks > 1000) ctx.skip('this filesystem stores no holes');
  await pack();
  await mount();
  const ask =
    'import os,sys\nf=os.open(sys.argv[1],os.O_RDONLY)\nd=os.lseek(f,1<<20,os.SEEK_DATA)\nprint(d<=50<<20, d>49<<20, os.lseek(f,0,os.SEEK_HOLE)<=131072, os.pread(f,3,50<<20), os.lseek(f,60<<20,os.SEEK_HOLE)==60<<20)';
  expect(run('python3', ['-c', ask, join(directory, 'sparse')])).toBe("True True True b'end' True\n");
  expect(statSync(join(directory, 'sparse')).size).toBe(100 << 20);
  expect(statSync(join(directory, 'sparse')).blocks).toBeLessThan(1000);
});
