import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import * as format from '../../src/format/constants.ts';
import { crc32c } from '../../src/format/crc32c.ts';
import { extractImage } from '../../src/image/extract.ts';
import { verifyImage } from '../../src/image/verify.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { compareTrees } from '../compare-trees.ts';
import { type BuiltImage, buildImage, type Node } from '../support/build-image.ts';
import { indexBytes } from '../support/index-bytes.ts';
import { columnsOf, directory, file } from '../support/model-tree.ts';
import { removeTree } from '../support/remove-tree.ts';
import { makeTortureTree } from '../torture-tree.ts';
import { problemCodes, shownProblems } from './shown-problems.ts';

const asRoot = process.getuid?.() === 0;
const chunk = format.chunkLength;
let scratch: string;
let target: string;
let runs = 0;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'shoal-extract-'));
  chmodSync(scratch, 0o755);
});
beforeEach(() => {
  target = join(scratch, `target-${runs++}`);
  mkdirSync(target);
});
afterAll(() => removeTree(scratch));

const text = (content: string, more: Partial<Node> = {}): Node =>
  ({ kind: 'file', content: Buffer.from(content), ...more }) as Node;
const folder = (children: Record<string, Node>, more: Partial<Node> = {}): Node =>
  ({ kind: 'directory', mode: 0o755, children, ...more }) as Node;
const at = (path: string) => join(target, path);
const image = (root: Node): BuiltImage => buildImage(scratch, `image-${runs++}`, root);

const kept = text('one file', { mode: 0o640, nlink: 2, seconds: 1_500_000_000 });
const example = folder(
  {
    a: { kind: 'alias', of: kept },
    'b-folder': folder(
      { inner: folder({ deep: text('deep') }, { mode: 0o750, seconds: 99 }), other: text('other') },
      { mode: 0o555 },
    ),
    'a-file': text('plain'),
    '0': kept,
    link: { kind: 'link', target: Buffer.from('b-folder') },
  },
  { seconds: 1_234_567_890 },
);

test('a tree with everything that a filesystem allows comes out identical', async () => {
  const torture = join(scratch, 'torture');
  makeTortureTree(torture, { crowd: 3000 });
  const { image: index } = await packTree([torture], join(scratch, 'torture.shoal'));
  const { problems, entries } = await extractImage(index, target);
  expect(shownProblems(problems)).toEqual([]);
  expect(entries).toBe((await verifyImage(index)).entries);
  const left = await compareTrees(torture, target, { ignore: ['sockets'] });
  expect(left).toEqual(['./links/outside: nlink: expected 2, found 1']); // its other name is outside of the tree
});

test('holes stay holes', async () => {
  const node: Node = { kind: 'sparse', size: 2 ** 33, data: new Map([[2 ** 32, Buffer.from('far')]]) };
  await extractImage(image(folder({ sparse: node })).index, target);
  const { size, blocks } = statSync(at('sparse'));
  expect(size).toBe(2 ** 33);
  expect(blocks * 512).toBeLessThan(2 ** 20);
});

test('a second extraction over the first gives the same again, also into directories that are read-only', async () => {
  const { index } = image(example);
  await extractImage(index, target);
  const { problems } = await extractImage(index, target);
  expect(problems).toEqual([]);
  const { differences } = await verifyImage(index, { against: target });
  // A user cannot give files to root, whose they are in the image.
  expect(differences.filter(({ message }) => asRoot || !/^[ug]id: /.test(message))).toEqual([]);
});

test('a path is extracted with everything below it, and the directories above it are made as they are in the image', async () => {
  const { index } = image(example);
  const { entries, problems } = await extractImage(index, target, { paths: ['b-folder/inner/', './a-file'] });
  expect(problems).toEqual([]);
  expect(entries).toBe(3);
  expect(readdirSync(target, { recursive: true }).sort()).toEqual([
    'a-file',
    'b-folder',
    'b-folder/inner',
    'b-folder/inner/deep',
  ]);
  expect(lstatSync(at('b-folder')).mode & 0o7777).toBe(0o555);
  expect(lstatSync(at('b-folder/inner'))).toMatchObject({ mode: 0o40750, mtimeMs: 99_000 });
  expect(lstatSync(target).mtimeMs).not.toBe(1_234_567_890_000);
});

test('a directory above a selected path that is there already keeps its metadata', async () => {
  mkdirSync(at('b-folder'), { mode: 0o700 });
  await extractImage(image(example).index, target, { paths: ['b-folder/other'] });
  expect(lstatSync(at('b-folder')).mode & 0o7777).toBe(0o700);
  expect(readFileSync(at('b-folder/other'), 'utf8')).toBe('other');
});

test('further names are linked, and a name whose file is not selected gets the content', async () => {
  const { index } = image(example);
  await extractImage(index, target);
  expect(lstatSync(at('a')).ino).toBe(lstatSync(at('0')).ino);

  const alone = join(scratch, 'alone');
  mkdirSync(alone);
  expect((await extractImage(index, alone, { paths: ['a'] })).problems).toEqual([]);
  expect(readdirSync(alone)).toEqual(['a']);
  expect(readFileSync(join(alone, 'a'), 'utf8')).toBe('one file');
  expect(lstatSync(join(alone, 'a')).mode & 0o7777).toBe(0o640);
});

test('a path that the image does not have is told, and the others are extracted', async () => {
  const { problems } = await extractImage(image(example).index, target, { paths: ['nothing', 'link/other', 'a-file'] });
  expect(problemCodes(problems)).toEqual(['nothing: missing', 'link/other: missing']);
  expect(readdirSync(target)).toEqual(['a-file']);
});

test('a path with .. is refused before anything is done', async () => {
  const running = extractImage(image(example).index, target, { paths: ['a-file', '../x'] });
  await expect(running).rejects.toMatchObject({ code: 'usage' });
  expect(readdirSync(target)).toEqual([]);
});

test('what is there already: directories are kept, files and links replaced, everything else is in the way', async () => {
  const outside = join(scratch, 'precious');
  writeFileSync(outside, 'precious');
  mkdirSync(at('b-folder'));
  writeFileSync(at('b-folder/mine'), 'mine');
  linkSync(outside, at('a-file'));
  symlinkSync(outside, at('0'));
  mkdirSync(at('link'));
  execFileSync('mkfifo', [at('a')]);

  const { problems } = await extractImage(image(example).index, target);
  expect(problemCodes(problems)).toEqual(['a: exists', 'link: exists']);
  expect(readFileSync(at('b-folder/mine'), 'utf8')).toBe('mine');
  expect(readFileSync(at('a-file'), 'utf8')).toBe('plain');
  expect(lstatSync(at('0')).isFile()).toBe(true);
  expect(readFileSync(outside, 'utf8')).toBe('precious');
  expect(lstatSync(outside).nlink).toBe(1);
});

test('a symbolic link in the place of a directory is never followed', async () => {
  const canary = join(scratch, 'canary');
  mkdirSync(canary);
  writeFileSync(join(canary, 'other'), 'alive');
  const { mode, uid, mtimeMs, ctimeMs } = lstatSync(canary);
  symlinkSync(canary, at('b-folder'));
  const { problems, entries } = await extractImage(image(example).index, target);
  expect(shownProblems(problems)).toEqual([
    expect.stringMatching(/^b-folder: expected a directory .* not followed; remove it/),
  ]);
  expect(entries).toBe(5);
  expect(readdirSync(canary)).toEqual(['other']);
  expect(readFileSync(join(canary, 'other'), 'utf8')).toBe('alive');
  expect(lstatSync(canary)).toMatchObject({ mode, uid, mtimeMs, ctimeMs });
});

test('a damaged file is not left behind, and is told with its volume and offset; the others are extracted', async () => {
  const small = text('small '.repeat(1000));
  const large: Node = { kind: 'file', content: Buffer.alloc(12 * chunk, 'large ') };
  const built = image(folder({ small, large, whole: text('whole'), 'z-name': { kind: 'alias', of: large } }));
  const bytes = readFileSync(built.volume);
  const places = [small, large].map((node) => built.offsets.get(node) ?? 0);
  bytes[places[0] + 5999] ^= 1;
  bytes[places[1] + 10 * chunk] ^= 1;
  writeFileSync(built.volume, bytes);

  const { problems, entries } = await extractImage(built.index, target);
  expect(shownProblems(problems)).toEqual([
    expect.stringContaining(`(${built.volume} at offset ${places[1] + 10 * chunk})`),
    expect.stringContaining(`(${built.volume} at offset ${places[0]})`),
    expect.stringContaining('was not extracted: large'),
  ]);
  expect(problemCodes(problems)).toEqual(['large: checksum', 'small: checksum', 'z-name: missing']);
  expect(readdirSync(target)).toEqual(['whole']);
  expect(entries).toBe(2);
});

test('an extraction that is told to stop leaves no file that is not complete', async () => {
  const length = 2 ** 36;
  const zeros = crc32c(Buffer.alloc(4096));
  const row = { name: Buffer.from('huge.tar'), length, codec: 0, flags: 0, headChecksum: zeros, tailChecksum: zeros };
  const columns = columnsOf(directory('', [file('huge', length, 0)]));
  const index = join(scratch, 'huge.shoal');
  writeFileSync(index, indexBytes(columns, [row]));
  writeFileSync(join(scratch, 'huge.tar'), '');
  truncateSync(join(scratch, 'huge.tar'), length);

  const abort = new AbortController();
  const running = extractImage(index, target, { signal: abort.signal });
  abort.abort();
  await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  expect(readdirSync(target)).toEqual([]);
});

test('a full filesystem ends the extraction with that error', async (ctx) => {
  if (!asRoot) ctx.skip('only root can mount a small filesystem');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', target], { stdio: 'ignore' });
  } catch {
    ctx.skip('mounting a tmpfs is not permitted here');
  }
  try {
    const children = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`f${n}`, text('x'.repeat(60_000))]));
    const running = extractImage(image(folder(children)).index, target);
    await expect(running).rejects.toMatchObject({ code: 'io', message: expect.stringContaining('No space left') });
    for (const name of readdirSync(target)) expect(lstatSync(at(name)).size).toBe(60_000);
  } finally {
    execFileSync('umount', [target]);
  }
});

test('an ordinary user gets files of their own, and is told what could not be done', async (ctx) => {
  if (!asRoot) ctx.skip('only root can become another user');
  const { index } = image(
    folder({
      device: { kind: 'character', major: 1, minor: 3, mode: 0o600 },
      fifo: { kind: 'fifo', mode: 0o622 },
      plain: text('plain', { mode: 0o666, uid: 1234, gid: 77, seconds: 5 }),
      'read-only': folder({ inside: text('inside', { mode: 0 }) }, { mode: 0o500 }),
      'set-user-id': text('program', { mode: 0o6755, uid: 1234, gid: 77 }),
      trusted: text('x', { xattrs: [{ name: Buffer.from('trusted.t'), value: Buffer.from('1') }] }),
      user: text('x', { mode: 0o400, xattrs: [{ name: Buffer.from('user.u'), value: Buffer.from('1') }] }),
    }),
  );
  execFileSync('chown', ['65534:65534', target]);
  const nobody = <T>(act: () => Promise<T>): Promise<T> => {
    process.setegid?.(65534);
    process.seteuid?.(65534);
    return act().finally(() => {
      process.seteuid?.(0);
      process.setegid?.(0);
    });
  };
  for (const _ of ['first', 'over the first']) {
    const { problems } = await nobody(() => extractImage(index, target));
    expect(problemCodes(problems)).toEqual(['device: permission', 'set-user-id: permission', 'trusted: permission']);
    rmSync(at('fifo')); // it would be in the way of the next
  }
  expect(lstatSync(at('plain'))).toMatchObject({ uid: 65534, gid: 65534, mode: 0o100666, mtimeMs: 5000 });
  expect(lstatSync(at('set-user-id')).mode & 0o7777).toBe(0o755);
  expect(lstatSync(at('read-only')).mode & 0o7777).toBe(0o500);
  expect(lstatSync(at('read-only/inside')).mode & 0o7777).toBe(0);
  expect(readFileSync(at('trusted'), 'utf8')).toBe('x');
});

test('a directory that is not there, or is a file, is an error', async () => {
  const { index } = image(example);
  await expect(extractImage(index, at('nowhere'))).rejects.toMatchObject({ code: 'missing' });
  writeFileSync(at('file'), '');
  await expect(extractImage(index, at('file'))).rejects.toMatchObject({ code: 'missing' });
});
