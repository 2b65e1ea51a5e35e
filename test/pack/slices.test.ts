import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyImage } from '../../src/image/verify.ts';
import type { PackOptions } from '../../src/pack/pack-options.ts';
import type { PackSummary } from '../../src/pack/pack-summary.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { expectWhole, namesIn, packError } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';

// `--max-extra`: packing, comparing and removing slice by slice.

const scratch = scratchDirectory();
const original = join(scratch.path, 'original');
const mebibyte = 2 ** 20;

beforeAll(() => {
  for (let directory = 0; directory < 20; directory++) {
    const path = join(original, `d${directory % 4}`, `${directory}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < 40; file++) writeFileSync(join(path, `${file}`), `${directory}/${file} `.repeat(1500));
  }
  mkdirSync(join(original, 'empty', 'below', 'that'), { recursive: true });
  writeFileSync(join(original, 'large'), Buffer.alloc(1.3 * mebibyte, 'large'));
  writeFileSync(join(original, 'holes'), 'x');
  truncateSync(join(original, 'holes'), 63 * mebibyte);
  // Names of one file that would lie in the first slice and in the last one.
  linkSync(join(original, 'd0', '0', '0'), join(original, 'a-name-at-the-top'));
  symlinkSync('d0/0/1', join(original, 'link'));
  execFileSync('mkfifo', [join(original, 'd3', 'fifo')]);
  chmodSync(join(original, 'd3', '3'), 0o750);
  execFileSync('find', [original, '-depth', '-exec', 'touch', '-hd', '2001-02-03 04:05:06.789', '{}', '+']);
});
afterAll(scratch.remove);

function place(): string {
  const path = mkdtempSync(join(scratch.path, 'place-'));
  execFileSync('cp', ['-a', original, join(path, 'tree')]);
  return path;
}

async function packSliced(path: string, options: PackOptions = {}): Promise<PackSummary> {
  return await packTree([join(path, 'tree')], join(path, 'x.shoal'), {
    removeSource: true,
    maxExtra: 3 * mebibyte,
    ...options,
  });
}

async function expectSame(image: string, tree: string): Promise<void> {
  const { problems, differences } = await verifyImage(image, { against: tree });
  expect([...problems, ...differences]).toEqual([]);
}

test('the image holds the tree, each slice in a volume of its own, and the sources are gone', async () => {
  const path = place();
  const summary = await packSliced(path);
  expect(summary.volumes.length).toBeGreaterThan(3);
  expect(namesIn(path)).toEqual([...summary.volumes.map(({ name }) => name.toString()), 'x.shoal'].sort());
  expect(summary).toMatchObject({ unreadable: [], removed: { kept: [] } });
  await expectSame(join(path, 'x.shoal'), original);
});

test.each<[string, PackOptions]>([
  ['compressed', { compress: 'zstd:1' }],
  ['compressed where it pays', { compress: 'auto' }],
  ['with copies stored once', { dedupe: true }],
  ['with volumes smaller than slices', { volumeSize: mebibyte }],
])('the image holds the tree %s', async (_, options) => {
  const path = place();
  const summary = await packSliced(path, options);
  await expectSame(join(path, 'x.shoal'), original);
  expect(existsSync(join(path, 'tree'))).toBe(false);
  if (options.volumeSize === undefined) return;
  expect(summary.volumes.filter(({ length }) => length > mebibyte)).toHaveLength(1);
});

test('any number of threads makes the same bytes', async () => {
  const [one, many] = [place(), place()];
  await packSliced(one, { jobs: 1 });
  await packSliced(many, { jobs: 16 });
  expect(namesIn(many)).toEqual(namesIn(one));
  for (const name of namesIn(one))
    expect(readFileSync(join(many, name)).equals(readFileSync(join(one, name)))).toBe(true);
});

test('every volume is a tar of what its slice was, and an index can be made of all of them again', async () => {
  const path = place();
  const { volumes } = await packSliced(path);
  const extracted = join(path, 'extracted');
  mkdirSync(extracted);
  for (const { name } of volumes) execFileSync('tar', ['-xpf', join(path, name.toString()), '-C', extracted]);
  await expectSame(join(path, 'x.shoal'), extracted);
});

test('no more is taken than was allowed, with ten free inodes', async (ctx) => {
  if (process.getuid?.() !== 0) ctx.skip('needs root to mount a small filesystem');
  const disk = mkdtempSync(join(scratch.path, 'disk-'));
  const maxExtra = 3 * mebibyte;
  const used = Number(execFileSync('du', ['-s', '--block-size=1', original], { encoding: 'utf8' }).split('\t')[0]);
  const inodes = Number(execFileSync('du', ['-s', '--inodes', original], { encoding: 'utf8' }).split('\t')[0]);
  const options = `size=${used + 2 * maxExtra},nr_inodes=${inodes + 13}`;
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'shoal-test', disk], { encoding: 'utf8' });
  if (mounted.status !== 0) ctx.skip(`may not mount: ${mounted.stderr}`);
  try {
    execFileSync('cp', ['-a', original, join(disk, 'tree')]);
    const free = statfsSync(disk);
    const filler = free.bavail * free.bsize - maxExtra;
    // What the filesystem has left now is what is allowed.
    execFileSync('fallocate', ['-l', `${Math.floor(filler / 4096) * 4096}`, join(disk, 'filler')]);
    expect(statfsSync(disk).ffree).toBe(10);
    expect(statfsSync(disk).bavail * 4096).toBeLessThan(maxExtra + 4096);
    const summary = await packTree([join(disk, 'tree')], join(disk, 'x.shoal'), { removeSource: true, maxExtra });
    expect(summary.volumes.length).toBeGreaterThan(2);
    expect(existsSync(join(disk, 'tree'))).toBe(false);
    await expectSame(join(disk, 'x.shoal'), original);
  } finally {
    spawnSync('umount', ['-l', disk]);
  }
});

test('several sources, excluded names and a file among them', async () => {
  const path = place();
  writeFileSync(join(path, 'file'), 'a source');
  renameSync(join(path, 'tree', 'd1'), join(path, 'other'));
  const sources = ['tree', 'other', 'file'].map((name) => join(path, name));
  const summary = await packTree(sources, join(path, 'x.shoal'), {
    removeSource: true,
    maxExtra: 3 * mebibyte,
    exclude: ['39'],
  });
  await expectWhole(join(path, 'x.shoal'));
  const left = execFileSync('find', ['tree', 'other', '-type', 'f'], { cwd: path, encoding: 'utf8' });
  expect(
    left
      .trim()
      .split('\n')
      .every((name) => name.endsWith('/39')),
  ).toBe(true);
  expect(left.trim().split('\n')).toHaveLength(20);
  expect(existsSync(join(path, 'file'))).toBe(false);
  // Each of the directories in which one was excluded is told, and none of those above.
  const kept = summary.removed?.kept.map(({ path: where }) => where.toString()) ?? [];
  expect(kept).toHaveLength(20);
  expect(kept).toContain(join(path, 'tree', 'd0', '0'));
});

test('what changes after the walk stays, is told, and the rest goes', async () => {
  const path = place();
  let changed = false;
  const summary = await packSliced(path, {
    onProgress: () => {
      if (changed || !existsSync(join(path, 'x-00000.shoal'))) return;
      changed = true;
      appendFileSync(join(path, 'tree', 'd3', '19', '5'), 'more');
      rmSync(join(path, 'tree', 'd3', '19', '6'));
    },
  });
  expect(changed).toBe(true);
  const told = summary.unreadable.map(({ path: where, code }) => [where.toString(), code]);
  expect(told).toEqual([5, 6].map((name) => [join(path, 'tree', 'd3', '19', `${name}`), 'changed']));
  expect(execFileSync('find', ['tree', '-type', 'f'], { cwd: path, encoding: 'utf8' })).toBe('tree/d3/19/5\n');
  const { problems, missing } = await missingFrom(join(path, 'x.shoal'));
  expect(problems).toEqual([]);
  expect(missing).toEqual(['d3/19/5', 'd3/19/6']);
});

/** Files of the original that the image lacks. */
async function missingFrom(image: string): Promise<{ problems: readonly unknown[]; missing: string[] }> {
  const { problems, differences } = await verifyImage(image, { against: original });
  return {
    problems,
    missing: differences
      .map(({ path }) => path.toString())
      .filter((name) => /\d$/.test(name) && name.split('/').length === 3),
  };
}

test('a run that was stopped is gone on with, and not begun anew', async () => {
  const undisturbed = place();
  await packSliced(undisturbed);
  const path = place();
  const stop = new AbortController();
  const stopped = packSliced(path, {
    signal: stop.signal,
    onProgress: () => {
      if (existsSync(join(path, 'x-00001.shoal'))) stop.abort();
    },
  });
  await expect(stopped).rejects.toMatchObject({ code: 'cancelled', message: expect.stringContaining('--resume') });
  const first = readFileSync(join(path, 'x-00000.tar'));

  expect(
    await packError([join(path, 'tree')], join(path, 'x.shoal'), { removeSource: true, maxExtra: 3 * mebibyte }),
  ).toMatchObject({ code: 'exists' });
  expect(await packError([join(path, 'tree')], join(path, 'x.shoal'))).toMatchObject({
    code: 'exists',
    message: expect.stringContaining('--resume'),
  });
  expect(
    await packError([join(path, 'tree')], join(path, 'x.shoal'), {
      resume: true,
      removeSource: true,
      maxExtra: 4 * mebibyte,
    }),
  ).toMatchObject({ code: 'usage' });

  await packSliced(path, { resume: true });
  expect(readFileSync(join(path, 'x-00000.tar')).equals(first)).toBe(true);
  expect(namesIn(path)).toEqual(namesIn(undisturbed));
  for (const name of namesIn(path))
    expect(readFileSync(join(path, name)).equals(readFileSync(join(undisturbed, name)))).toBe(true);
  // Asked once more, there is nothing left to do.
  expect(await packSliced(path, { resume: true })).toMatchObject({ removed: { entries: 0, kept: [] } });
});

test('without the plan of a stopped run its slices are left as they are', async () => {
  const path = place();
  const stop = new AbortController();
  const onProgress = () => {
    if (existsSync(join(path, 'x-00000.shoal'))) stop.abort();
  };
  await packSliced(path, { signal: stop.signal, onProgress }).catch(() => undefined);
  rmSync(join(path, 'x.shoal.partial'), { recursive: true });
  const refused = await packError([join(path, 'tree')], join(path, 'x.shoal'), {
    removeSource: true,
    maxExtra: 3 * mebibyte,
    resume: true,
  });
  expect(refused).toMatchObject({ code: 'missing', message: expect.stringContaining('merge') });
  await expectWhole(join(path, 'x-00000.shoal'));
});

test.each<[string, PackOptions, RegExp]>([
  ['no removing', { removeSource: false }, /--remove-source/],
  ['names for shards', { shardNames: 'a-{0..9}.tar', volumeSize: 2 * mebibyte }, /--shard-names/],
  ['an order', { order: '/dev/null' }, /--order/],
  ['samples', { samples: true }, /--samples/],
  ['less room than a file needs', { maxExtra: mebibyte }, /at least \d+ bytes/],
  ['an old image', { force: true }, /--force/],
])('%s: refused before anything is done', async (_, options, message) => {
  const path = place();
  const all = { removeSource: true, maxExtra: 3 * mebibyte, ...options };
  const refused = await packError([join(path, 'tree')], join(path, 'x.shoal'), all);
  expect(refused).toMatchObject({ code: 'usage', message: expect.stringMatching(message) });
  expect(namesIn(path)).toEqual(['tree']);
  const { status } = spawnSync('diff', ['-r', '--no-dereference', '-x', 'fifo', original, join(path, 'tree')]);
  expect(status).toBe(0);
});

test('a file that cannot be read is told before anything is removed', async (ctx) => {
  if (process.getuid?.() !== 0) ctx.skip('needs root to pack as another user');
  const path = place();
  chmodSync(join(path, 'tree', 'd3', '19', '5'), 0);
  execFileSync('chown', ['-R', 'nobody', path]);
  execFileSync('chown', ['root', join(path, 'tree', 'd3', '19', '5')]);
  for (const above of [scratch.path, path]) chmodSync(above, 0o755);
  const bin = new URL('../../bin/shoal.js', import.meta.url).pathname;
  const options = ['pack', 'tree', '-o', 'x.shoal', '--remove-source', '--max-extra', '3M'];
  const uid = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }));
  const found = spawnSync(process.execPath, [bin, ...options], { cwd: path, uid, encoding: 'utf8' });
  expect(found).toMatchObject({ status: 1, stderr: expect.stringContaining('d3/19/5') });
  expect(namesIn(path)).toEqual(['tree']);
});

test('a tree of empty files and links, and an empty one', async () => {
  const path = mkdtempSync(join(scratch.path, 'place-'));
  mkdirSync(join(path, 'tree'));
  await packTree([join(path, 'tree')], join(path, 'x.shoal'), { removeSource: true, maxExtra: mebibyte });
  expect(namesIn(path)).toEqual(['x-00000.tar', 'x.shoal']);
  mkdirSync(join(path, 'tree'));
  for (let i = 0; i < 500; i++) {
    writeFileSync(join(path, 'tree', `file ${i}`), '');
    symlinkSync('nowhere', join(path, 'tree', `link ${i}`));
    utimesSync(join(path, 'tree', `file ${i}`), i, i);
  }
  const summary = await packTree([join(path, 'tree')], join(path, 'y.shoal'), {
    removeSource: true,
    maxExtra: 2 * mebibyte,
  });
  expect(summary.entries).toBe(1001);
  await expectWhole(join(path, 'y.shoal'));
  // They take nothing of the filesystem, so that packing them takes more and more.
  mkdirSync(join(path, 'many'));
  for (let i = 0; i < 3000; i++) writeFileSync(join(path, 'many', `${i}`), '');
  const refused = await packError([join(path, 'many')], join(path, 'z.shoal'), {
    removeSource: true,
    maxExtra: mebibyte,
  });
  expect(refused).toMatchObject({ code: 'usage', message: expect.stringMatching(/at least \d+ bytes/) });
  expect(namesIn(join(path, 'many'))).toHaveLength(3000);
});
