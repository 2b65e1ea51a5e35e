import {
  chmodSync,
  closeSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openImage } from '../../src/image/open-image.ts';
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

test('names of one file share an inode number, and no two files do', async (ctx) => {
  const { source, directory, pack, mount } = scene(ctx);
  mkdirSync(join(source, 'a'));
  mkdirSync(join(source, 'b'));
  writeFileSync(join(source, 'a/first'), 'one file');
  linkSync(join(source, 'a/first'), join(source, 'b/second'));
  writeFileSync(join(source, 'b/other'), 'another');
  await pack();
  await mount();
  const [first, second, other] = ['a/first', 'b/second', 'b/other'].map((name) => statSync(join(directory, name)));
  expect(second?.ino).toBe(first?.ino);
  expect(first?.nlink).toBe(2);
  expect(other?.ino).not.toBe(first?.ino);
  expect(run('ls', ['-i', join(directory, 'b')])).toContain(`${first?.ino} second`);
});

test('statfs tells the real numbers of entries and bytes, all of them used', async (ctx) => {
  const { source, image, directory, pack, mount } = scene(ctx);
  mkdirSync(join(source, 'below'));
  for (let number = 0; number < 10; number++) writeFileSync(join(source, 'below', `${number}`), 'x'.repeat(5000));
  await pack();
  await mount();
  const told = statfsSync(directory);
  expect(told.files).toBe(12);
  expect(told.ffree).toBe(0);
  expect(told.bsize * told.blocks).toBe(Math.ceil(50_000 / 4096) * 4096);
  expect(told.bfree + told.bavail).toBe(0);
  const opened = openImage(image);
  expect(told.files).toBe(opened.index.entryCount);
  opened.close();
});

test('reads at odd offsets and of odd lengths give the bytes that lie there', async (ctx) => {
  const { source, directory, pack, mount } = scene(ctx);
  const content = Buffer.alloc(1_500_001);
  for (let at = 0; at + 4 <= content.length; at += 4) content.writeUInt32LE(Math.imul(at, 2654435761) >>> 0, at);
  writeFileSync(join(source, 'file'), content);
  await pack();
  await mount();
  const places = [
    [0, 1],
    [1, 4095],
    [4095, 2],
    [131_071, 2],
    [131_072, 131_072],
    [100_001, 300_003],
    [999_999, 1],
    [1_499_990, 100],
    [1_500_001, 10],
    [2_000_000, 10],
  ];
  for (const flags of ['r', 'direct']) {
    // O_DIRECT goes around the page cache, so offsets and lengths reach the server as they are.
    const descriptor = openSync(join(directory, 'file'), flags === 'r' ? 'r' : 0o40000);
    for (const [offset, length] of places as [number, number][]) {
      const into = Buffer.alloc(length);
      const got = readSync(descriptor, into, 0, length, offset);
      expect(into.subarray(0, got).equals(content.subarray(offset, offset + length))).toBe(true);
    }
    closeSync(descriptor);
  }
});

test('a program on the mount runs, and a file there can be mapped', async (ctx) => {
  const { source, directory, pack, mount } = scene(ctx);
  copyFileSync('/bin/echo', join(source, 'echo'));
  chmodSync(join(source, 'echo'), 0o755);
  writeFileSync(join(source, 'mapped'), 'first line\n'.repeat(100_000));
  await pack();
  await mount();
  expect(run(join(directory, 'echo'), ['it runs'])).toBe('it runs\n');
  const script =
    'import mmap, sys\nwith open(sys.argv[1], "rb") as f:\n  print(mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)[:].count(b"first line\\n"))';
  expect(run('python3', ['-c', script, join(directory, 'mapped')])).toBe('100000\n');
});

test('eight processes read the whole tree at once and get the same bytes', async (ctx) => {
  const { source, directory, pack, mount } = scene(ctx);
  for (let number = 0; number < 500; number++) {
    writeFileSync(join(source, `${number}`), Buffer.alloc(number * 37, `${number} `));
  }
  await pack();
  await mount();
  const sums = `find . -type f -print0 | shuf -z | xargs -0 cksum | sort | cksum`;
  const expected = run('sh', ['-c', `cd '${source}' && ${sums}`]);
  const found = run('sh', ['-c', `cd '${directory}'; for i in 1 2 3 4 5 6 7 8; do (${sums}) & done; wait`]);
  expect(found).toBe(expected.repeat(8));
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

test('nothing can be written', async (ctx) => {
  const { source, directory, pack, mount } = scene(ctx);
  writeFileSync(join(source, 'file'), 'content');
  await pack();
  await mount();
  expect(() => writeFileSync(join(directory, 'new'), '')).toThrow('EROFS');
  expect(() => writeFileSync(join(directory, 'file'), '')).toThrow('EROFS');
  expect(() => mkdirSync(join(directory, 'below'))).toThrow('EROFS');
});
