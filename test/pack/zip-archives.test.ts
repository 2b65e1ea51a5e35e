import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ShoalError } from '../../src/base/errors.ts';
import { verifyImage } from '../../src/image/verify.ts';
import { packArchive } from '../../src/pack/pack-archive.ts';
import { type HandMadeEntry, makeZip } from '../indexers/zip-bytes.ts';
import { seededRandom } from '../support/random.ts';
import { documents, runShell, runShoal } from '../support/run-shoal.ts';
import { contentsOf, expectWhole, isSame, namesIn, readImage } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const at = (...names: string[]) => join(scratch.path, ...names);
const tree = at('tree');
const image = at('out', 'x.shoal');
const utc = { env: { ...process.env, TZ: 'UTC', LC_ALL: 'C.UTF-8' } };

beforeAll(() => {
  mkdirSync(join(tree, 'a', 'deep', 'er'), { recursive: true });
  mkdirSync(join(tree, 'empty'));
  const random = seededRandom(1);
  const noise = Buffer.from(Array.from({ length: 300_000 }, () => Math.floor(random() * 256)));
  const files: Record<string, Buffer | string> = {
    'a/noise': noise,
    'a/deep/repeated': 'again and again '.repeat(200_000),
    'a/deep/er/nothing': '',
    'ümlaut und 日本': 'name',
    'with \\ backslash': 'name',
    one: '1',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(tree, name), content);
  chmodSync(join(tree, 'one'), 0o4751);
  chmodSync(join(tree, 'a', 'noise'), 0o600);
  symlinkSync('a/deep/repeated', join(tree, 'link'));
  symlinkSync('/not/there', join(tree, 'a', 'dangling'));
  for (const [name, seconds] of Object.entries({ one: 1e9, 'a/noise': 1.6e9 + 1, 'a/deep': 1.5e9 + 1 }))
    utimesSync(join(tree, name), seconds, seconds);
});
beforeEach(() => {
  rmSync(at('out'), { recursive: true, force: true });
  mkdirSync(at('out'));
});
afterAll(scratch.remove);

/** A zip that Python's zipfile writes of what `script` puts into `z`. */
function pythonZip(name: string, script: string): string {
  const program = `import zipfile, io\nz = zipfile.ZipFile(${JSON.stringify(at(name))}, 'w', zipfile.ZIP_DEFLATED)\n${script}\nz.close()`;
  execFileSync('python3', ['-c', program]);
  return at(name);
}

function handMade(name: string, entries: readonly HandMadeEntry[]): string {
  writeFileSync(at(name), makeZip(entries));
  return at(name);
}

async function packError(archive: string): Promise<ShoalError> {
  const outcome = await packArchive(archive, image).catch((error: unknown) => error);
  if (outcome instanceof ShoalError) return outcome;
  throw new Error('expected packing to fail', { cause: outcome });
}

describe('the image of a zip', () => {
  const haveAll = ['zip', 'unzip', 'bsdtar'].every((name) => spawnSync(name, ['-h']).error === undefined);
  test.runIf(haveAll).each([
    ['Info-ZIP', 'zip', ['-qry', at('x.zip'), '.']],
    ['Info-ZIP, stored', 'zip', ['-qry0', at('x.zip'), '.']],
    ['Info-ZIP, as a stream', 'sh', ['-c', `zip -qry - . > '${at('x.zip')}'`]],
    ['Info-ZIP, without extra fields', 'zip', ['-qryX', at('x.zip'), '.']],
    ['bsdtar', 'bsdtar', ['--format', 'zip', '-cf', at('x.zip'), '.']],
  ])('by %s is the tree that unzip extracts', async (_, program, args) => {
    rmSync(at('x.zip'), { force: true });
    execFileSync(program, args, { cwd: tree, ...utc });
    expect((await packArchive(at('x.zip'), image)).skipped).toEqual([]);
    const extracted = at('extracted');
    execFileSync('unzip', ['-qXK', at('x.zip'), '-d', extracted], utc);
    const { problems, differences, entries } = await verifyImage(image, { against: extracted });
    rmSync(extracted, { recursive: true });
    expect(problems).toEqual([]);
    expect(entries).toBe(13);
    // unzip leaves the times of links, and of the directory that it extracts into, as they come.
    const left = differences.filter(
      ({ path, message }) => !(['.', 'link', 'a/dangling'].includes(String(path)) && /^mtime/.test(message)),
    );
    expect(left).toEqual([]);
  });

  test('comes from standard input as well, the same bytes as from a file, every time', async () => {
    const archive = pythonZip('twice.zip', "for i in range(3000): z.writestr(f'd{i % 7}/{i}', str(i) * (i % 50))");
    expect(runShell(`shoal pack --from-archive - -o '${image}' < '${archive}'`)).toMatchObject({
      status: 0,
      stderr: '',
    });
    const first = readImage(image);
    expect(namesIn(at('out'))).toEqual(['x.shoal', 'x.tar']);
    await packArchive(archive, image, { force: true, jobs: 1 });
    expect(isSame(readImage(image), first)).toBe(true);
    expect(contentsOf(image)['d3/2999']).toBe('2999'.repeat(49));
    await expectWhole(image);
  });

  test('holds what Python wrote, with the sizes of zip64 as well', async () => {
    const archive = pythonZip(
      'python.zip',
      `z.writestr('stored', 'as it is', zipfile.ZIP_STORED)
z.writestr('implied/directories/deflated', 'a' * 100000)
z.writestr('\\u00e4', 'unicode')
with z.open('zip64', 'w', force_zip64=True) as f: f.write(b'large' * 50000)`,
    );
    expect((await packArchive(archive, image)).skipped).toEqual([]);
    expect(contentsOf(image)).toEqual({
      stored: 'as it is',
      'implied/directories/deflated': 'a'.repeat(100_000),
      ä: 'unicode',
      zip64: 'large'.repeat(50_000),
    });
  });

  test('has more entries than a zip without zip64 can count', async () => {
    const archive = pythonZip('many.zip', "for i in range(66000): z.writestr(zipfile.ZipInfo(f'{i % 100}/{i}'), b'x')");
    const { entries } = await packArchive(archive, image);
    expect(entries).toBe(66_000 + 100 + 1);
    await expectWhole(image);
  });

  test('as zstd frames is that of the plain one', async () => {
    const archive = pythonZip('z.zip', 'for i in range(100): z.writestr(str(i), str(i) * 5000)');
    await packArchive(archive, image, { compress: 'zstd' });
    expect(namesIn(at('out'))).toEqual(['x.shoal', 'x.tar.zst']);
    expect(contentsOf(image)['77']).toBe('77'.repeat(5000));
    await expectWhole(image);
  });

  test('has what comes last of what comes twice', async () => {
    const archive = handMade('double.zip', [
      { name: 'x', content: 'first' },
      { name: 'x', content: 'second' },
    ]);
    await packArchive(archive, image);
    expect(contentsOf(image)).toEqual({ x: 'second' });
  });

  test('leaves out what has no place in a tree, says so, and is done in part', () => {
    const archive = handMade('hostile.zip', [
      { name: '../outside', content: 'x' },
      { name: 'a/../../b', content: 'x' },
      { name: '..\\outside', content: 'x', system: 0 },
      { name: '/absolute', content: 'kept' },
      { name: 'link', content: '/tmp', mode: 0o120777 },
      { name: 'link/below', content: 'x' },
      { name: 'n'.repeat(300), content: 'x' },
      { name: 'good', content: 'good' },
    ]);
    const shown = runShoal(['pack', '--from-archive', archive, '-o', image, '--json']);
    expect(shown.status).toBe(4);
    const [document] = documents(shown.stdout) as { skipped: { path: string }[] }[];
    const paths = ['../outside', 'a/../../b', '../outside', 'link/below', 'n'.repeat(300)];
    expect(document?.skipped.map(({ path }) => path)).toEqual(paths);
    expect(contentsOf(image)).toEqual({ absolute: 'kept', good: 'good' });
  });

  test('of nothing is an empty tree', async () => {
    expect(await packArchive(handMade('empty.zip', []), image)).toMatchObject({ entries: 1 });
  });
});

describe('a zip that is damaged, or hostile, makes no image', () => {
  test('cut anywhere', async () => {
    const whole = makeZip([
      { name: 'x', content: 'x'.repeat(100_000) },
      { name: 'y', content: 'y' },
    ]);
    for (const length of [4, 30, 100, whole.length - 23, whole.length - 1]) {
      writeFileSync(at('cut.zip'), whole.subarray(0, length));
      expect(['malformed', 'truncated']).toContain((await packError(at('cut.zip'))).code);
    }
    expect(namesIn(at('out'))).toEqual([]);
  });

  test('changed in its content, which is told by the last byte', async () => {
    const content = Buffer.alloc(3_000_000, 'content');
    for (const isStored of [true, false]) {
      expect(await packError(handMade('changed.zip', [{ name: 'x', content, isStored, checksum: 5 }]))).toMatchObject({
        code: 'checksum',
        path: at('changed.zip'),
        message: expect.stringContaining('expected content of `x` with CRC-32 00000005'),
      });
    }
    expect(namesIn(at('out'))).toEqual([]);
  });

  test('encrypted, or compressed in a way that is not deflate, with the name of what was found', async () => {
    const bzip2 = pythonZip('bzip2.zip', "z.writestr('x', 'x' * 1000, zipfile.ZIP_BZIP2)");
    expect(await packError(bzip2)).toMatchObject({
      code: 'unsupported',
      message:
        'expected content that is stored or deflated, found bzip2 (method 12) in `x`; extract the zip and pack the directory',
    });
    expect(await packError(handMade('secret.zip', [{ name: 'x', content: 'x', flags: 1 }]))).toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('encrypted'),
    });
    expect(namesIn(at('out'))).toEqual([]);
  });

  test('that stands for far more than it holds, by the same bytes over and over', async () => {
    const bomb = [
      { name: '0', content: Buffer.alloc(1 << 20) },
      ...Array.from({ length: 100 }, (_, i) => ({ name: `${i}`, content: Buffer.alloc(1 << 20), isShared: true })),
    ];
    expect(await packError(handMade('bomb.zip', bomb))).toMatchObject({
      code: 'malformed',
      message: expect.stringContaining('shares bytes'),
    });
  });

  test('that is cancelled leaves nothing, nor a program that reads it', async () => {
    copyFileSync(pythonZip('long.zip', 'for i in range(20000): z.writestr(str(i), str(i))'), at('again.zip'));
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    await expect(packArchive(at('again.zip'), image, { signal: controller.signal, onProgress })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(namesIn(at('out'))).toEqual([]);
    const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    const commands = children.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
    expect(commands.filter((command) => command.includes('zip-to-tar'))).toEqual([]);
  });
});
