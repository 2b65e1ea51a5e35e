import { execFileSync, spawnSync } from 'node:child_process';
import { createReadStream, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import tar from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openIndex } from '../../src/image/open-image.ts';
import type { PackSummary } from '../../src/pack/pack-summary.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { compareTrees } from '../compare-trees.ts';
import { makeTortureTree, type TortureNotes } from '../torture-tree.ts';
import { scratchDirectory } from './pack-process.ts';

const isRoot = process.getuid?.() === 0;
const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const image = join(scratch.path, 'image.shoal');
const volume = join(scratch.path, 'image.tar');
let notes: TortureNotes;
let summary: PackSummary;

beforeAll(async () => {
  // GNU tar cannot make paths beyond PATH_MAX, 4 096 bytes: deeper trees have a test of their own below.
  notes = makeTortureTree(tree, { crowd: 100_000, deepSteps: 15, narrowSteps: 300 });
  summary = await packTree([tree], image);
});
afterAll(scratch.remove);

describe.each(['C', 'C.UTF-8'])('in the locale %s', (locale) => {
  test.for(['tar', 'bsdtar'])('%s lists every entry of the volume and prints no warning', (program, ctx) => {
    const found = spawnSync(program, ['-tvf', volume], {
      encoding: 'latin1',
      maxBuffer: 1 << 28,
      env: { ...process.env, LC_ALL: locale },
    });
    if (found.error) ctx.skip(`${program}: ${found.error.message}`);
    expect(found.stderr).toBe('');
    expect(found.status).toBe(0);
    expect(found.stdout.trimEnd().split('\n')).toHaveLength(summary.entries);
  });
});

test('tar-stream parses the volume', async () => {
  const extract = tar.extract();
  const kinds = new Map<string, number>();
  extract.on('entry', (header, stream, next) => {
    const type = header.type ?? 'none';
    kinds.set(type, (kinds.get(type) ?? 0) + 1);
    stream.on('end', next).resume();
  });
  await pipeline(createReadStream(volume), extract);
  expect([...kinds.values()].reduce((a, b) => a + b)).toBe(summary.entries);
  expect(kinds.get('file')).toBeGreaterThan(100_000);
});

test("Python's tarfile parses the volume", () => {
  const count = 'import sys, tarfile; print(len(tarfile.open(sys.argv[1]).getmembers()))';
  expect(execFileSync('python3', ['-c', count, volume], { encoding: 'utf8' })).toBe(`${summary.entries}\n`);
});

test('GNU tar extracts the same tree, with every attribute', async (ctx) => {
  const target = join(scratch.path, 'extracted');
  mkdirSync(target);
  const restore = ['--xattrs', '--xattrs-include=*', '-p', ...(isRoot ? ['--same-owner', '--numeric-owner'] : [])];
  // The only warnings that tar gives are about mtimes before 1970 and in the future, which these files have on purpose.
  const found = spawnSync('tar', ['-C', target, ...restore, '--warning=no-timestamp', '-xf', volume], {
    encoding: 'utf8',
  });
  if (found.error) ctx.skip('GNU tar is not installed');
  expect(found.stderr).toBe('');
  expect(found.status).toBe(0);
  // One file has a further name outside of the tree.
  expect(await compareTrees(tree, target, { ignore: ['sockets'] })).toEqual([
    './links/outside: nlink: expected 2, found 1',
  ]);
});

test('a directory that may not be written keeps its permissions and its mtime, also when a user extracts it', async (ctx) => {
  if (!isRoot) ctx.skip('needs root to become a user');
  const source = join(scratch.path, 'readonly');
  mkdirSync(join(source, 'a', 'b'), { recursive: true });
  writeFileSync(join(source, 'a', 'b', 'file'), 'x');
  execFileSync('chmod', ['555', join(source, 'a', 'b'), join(source, 'a')]);
  execFileSync('touch', ['-d', '2001-01-01', join(source, 'a', 'b'), join(source, 'a')]);
  await packTree([source], join(scratch.path, 'readonly.shoal'));
  const target = join(scratch.path, 'by-user');
  mkdirSync(target);
  execFileSync('chown', ['65534:65534', target]);
  execFileSync('chmod', ['755', scratch.path]);
  execFileSync('tar', ['-C', target, '-xf', join(scratch.path, 'readonly.tar')], { uid: 65534, gid: 65534 });
  expect(await compareTrees(source, target, { ignore: ['uid', 'gid'] })).toEqual([]);
});

test('sockets are left out and told', () => {
  const skipped = summary.skipped.map(({ path }) => path.toString('latin1'));
  expect(skipped).toEqual(notes.sockets.map((path) => `${tree}/${path}`).sort());
});

test('holes take no room in the volume', (ctx) => {
  if (statSync(join(tree, 'sparse', 'ten-gibibytes')).blocks > 10_000) ctx.skip('the filesystem has no sparse files');
  expect(summary.bytes).toBeGreaterThan(18 * 2 ** 30);
  expect(statSync(volume).size).toBeLessThan(2 ** 28);
});

test('the summary tells the lengths and the id of what was written', () => {
  expect(summary.image.toString()).toBe(image);
  expect(statSync(volume).size).toBe(summary.volumeLength);
  expect(statSync(image).size).toBe(summary.indexLength);
  expect(readFileSync(volume).subarray(0, 1024).toString('latin1')).toContain(`shoal volume 1 id=${summary.id}\n`);
  const index = openIndex(Buffer.from(image));
  expect(index.entryCount).toBe(summary.entries);
  index.close();
});

test('the same tree gives the same bytes, for any number of threads', async () => {
  for (const jobs of [1, 7]) {
    const again = join(scratch.path, `jobs-${jobs}`);
    mkdirSync(again);
    await packTree([tree], join(again, 'image.shoal'), { jobs });
    expect(readFileSync(join(again, 'image.shoal')).equals(readFileSync(image))).toBe(true);
    expect(readFileSync(join(again, 'image.tar')).equals(readFileSync(volume))).toBe(true);
  }
});

test('a chain of three thousand directories, and paths of 12 000 bytes, are packed and extracted by bsdtar', async (ctx) => {
  const tall = join(scratch.path, 'tall');
  makeTortureTree(tall, { hugeSparse: false, deepSteps: 60, narrowSteps: 3000 });
  const deep = join(tall, 'deep');
  await packTree([deep], join(scratch.path, 'deep.shoal'));
  const target = join(scratch.path, 'deep-extracted');
  mkdirSync(target);
  const found = spawnSync('bsdtar', ['-C', target, '-xpf', join(scratch.path, 'deep.tar')], { stdio: 'ignore' });
  if (found.error) ctx.skip('bsdtar is not installed');
  // It goes down step by step to make a file, but beyond PATH_MAX neither back to set times nor, with whole paths, to make hard links.
  const differences = await compareTrees(deep, target, { ignore: ['mtime', 'nlink'] });
  expect(differences.filter((line) => !line.endsWith("/hard: name: expected 'present', found 'missing'"))).toEqual([]);
  expect(differences).toHaveLength(3);
});
