import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ShoalError } from '../../src/base/errors.ts';
import { verifyImage } from '../../src/image/verify.ts';
import { indexArchive } from '../../src/indexers/index-archive.ts';
import { packArchive } from '../../src/pack/pack-archive.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { documents, runShell, runShoal } from '../support/run-shoal.ts';
import { makeTortureTree } from '../torture-tree.ts';
import { contentsOf, expectWhole, type ImageFiles, isSame, namesIn, readImage, volumeOf } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const at = (...names: string[]) => join(scratch.path, ...names);
const tree = at('tree');
const image = at('out', 'x.shoal');
const isRoot = process.getuid?.() === 0;
/** Both tars warn of sockets and of odd times. */
const quiet = { stdio: 'ignore' } as const;
let packed: ImageFiles;

/** GNU tar, as it keeps all that an image holds. */
function tar(output: string, ...options: string[]): string {
  const xattrs = options.includes('--format=gnu') ? [] : ['--xattrs', '--xattrs-include=*'];
  execFileSync('tar', ['--numeric-owner', ...xattrs, ...options, '-cf', output, '-C', tree, '.'], quiet);
  return output;
}

function bsdtar(output: string): string {
  execFileSync('bsdtar', ['-cf', output, '-C', tree, '.'], quiet);
  return output;
}

/** The image of the tree that an archive gives when it is extracted by GNU tar. */
async function packExtracted(archive: string): Promise<ImageFiles> {
  const extracted = at('extracted');
  mkdirSync(extracted);
  execFileSync('tar', ['--numeric-owner', '--xattrs', '--xattrs-include=*', '-xpf', archive, '-C', extracted], quiet);
  mkdirSync(at('expected'), { recursive: true });
  await packTree([extracted], at('expected', 'x.shoal'), { force: true });
  rmSync(extracted, { recursive: true });
  return readImage(at('expected', 'x.shoal'));
}

async function packError(archive: string): Promise<ShoalError> {
  const outcome = await packArchive(archive, image).catch((error: unknown) => error);
  if (outcome instanceof ShoalError) return outcome;
  throw new Error('expected packing to fail', { cause: outcome });
}

/** A tar of members, each with its own header made by Python. */
function pythonTar(name: string, script: string): string {
  const program = `import tarfile, io
t = tarfile.open(${JSON.stringify(at(name))}, 'w')
def file(path, content, **more):
  i = tarfile.TarInfo(path)
  i.size = len(content)
  for key, value in more.items(): setattr(i, key, value)
  t.addfile(i, io.BytesIO(content))
def special(path, kind, link=''):
  i = tarfile.TarInfo(path)
  i.type = kind
  i.linkname = link
  t.addfile(i)
${script}
t.close()`;
  execFileSync('python3', ['-c', program]);
  return at(name);
}

beforeAll(async () => {
  makeTortureTree(tree, { hugeSparse: false, deepSteps: 3 });
  tar(at('gnu.tar'), '--format=gnu');
  // Of the extracted tree, because tar keeps neither link counts of names outside nor sockets.
  packed = await packExtracted(tar(at('pax.tar'), '--format=posix', '--sparse'));
}, 60_000);
beforeEach(() => {
  rmSync(at('out'), { recursive: true, force: true });
  mkdirSync(at('out'));
});
afterAll(scratch.remove);

describe('the image of an archive', () => {
  test.runIf(isRoot).each([
    ['as it is', undefined, ''],
    ['compressed with gzip', 'gzip', '.gz'],
    ['compressed with bzip2', 'bzip2', '.bz2'],
    ['compressed with xz', 'xz', '.xz'],
    ['compressed with zstd', 'zstd', '.zst'],
  ])('is byte for byte that of the extracted tree: a tar %s', async (_, program, ending) => {
    const archive = `${at('pax.tar')}${ending}`;
    if (program !== undefined) execFileSync('sh', ['-c', `${program} -1 -c '${at('pax.tar')}' > '${archive}'`]);
    const { skipped } = await packArchive(archive, image);
    expect(skipped).toEqual([]);
    expect(isSame(readImage(image), packed)).toBe(true);
    expect(namesIn(at('out'))).toEqual(['x.shoal', 'x.tar']);
  });

  test('comes from standard input as well', () => {
    const shown = runShell(`gzip -1 -c '${at('pax.tar')}' | shoal pack --from-archive - -o '${image}'`);
    expect(shown).toMatchObject({ status: 0, stderr: '' });
    expect(namesIn(at('out'))).toEqual(['x.shoal', 'x.tar']);
    if (isRoot) expect(isSame(readImage(image), packed)).toBe(true);
  });

  test.each([
    ['GNU tar, in its own format', () => at('gnu.tar')],
    ['GNU tar, sparse in its own format', () => tar(at('sparse.tar'), '--format=gnu', '--sparse')],
    ['bsdtar', () => bsdtar(at('bsd.tar'))],
  ])('of %s holds what extraction by it gives', async (name, make) => {
    const archive = make();
    await packArchive(archive, image);
    const extracted = at('extracted');
    mkdirSync(extracted);
    const options = name === 'bsdtar' ? ['-xpf'] : ['--numeric-owner', '--xattrs', '--xattrs-include=*', '-xpf'];
    execFileSync(name === 'bsdtar' ? 'bsdtar' : 'tar', [...options, archive, '-C', extracted], quiet);
    const { problems, differences } = await verifyImage(image, { against: extracted });
    rmSync(extracted, { recursive: true });
    expect(problems).toEqual([]);
    // bsdtar itself writes or extracts times before 1970, and percent signs in names of attributes, in another way.
    const own = name === 'bsdtar' ? /^(mtime|xattr)/ : /^$/;
    expect(differences.map(({ message }) => message).filter((message) => !own.test(message))).toEqual([]);
  });

  test('of a volume of Shoal is the image that it was packed as', async () => {
    copyFileSync(volumeOf(at('expected', 'x.shoal')), at('volume.tar'));
    await packArchive(at('volume.tar'), image);
    expect(isSame(readImage(image), packed)).toBe(true);
    rmSync(image);
    await indexArchive(volumeOf(image));
    expect(readImage(image).index.equals(packed.index)).toBe(true);
  });

  test('has what comes last of what comes twice, and links to what comes later', async () => {
    const archive = pythonTar(
      'twice.tar',
      `file('a/x', b'first' * 100000)
special('early', tarfile.LNKTYPE, 'a/y')
file('a/y', b'why')
file('a/x', b'second')
special('link', tarfile.SYMTYPE, '/etc/passwd')
file('holes', b'')`,
    );
    expect((await packArchive(archive, image)).skipped).toEqual([]);
    expect(contentsOf(image)).toEqual({ 'a/x': 'second', 'a/y': 'why', early: 'why', holes: '' });
    await expectWhole(image);
    expect(readFileSync(volumeOf(image)).length).toBeLessThan(100_000);
  });

  test('leaves out what has no place in a tree, says so, and is done in part', () => {
    const archive = pythonTar(
      'hostile.tar',
      `file('../outside', b'x')
file('a/../../b', b'x')
file('/absolute', b'kept')
special('gone', tarfile.LNKTYPE, 'nothing')
special('dir-link', tarfile.SYMTYPE, '/tmp')
file('dir-link/below', b'x')
file('good', b'good')`,
    );
    const shown = runShoal(['pack', '--from-archive', archive, '-o', image, '--json']);
    expect(shown.status).toBe(4);
    const [document] = documents(shown.stdout) as { skipped: { path: string }[] }[];
    expect(document?.skipped.map(({ path }) => path)).toEqual(['../outside', 'a/../../b', 'dir-link/below', 'gone']);
    expect(contentsOf(image)).toEqual({ absolute: 'kept', good: 'good' });
    const plain = runShoal(['pack', '--from-archive', archive, '-o', image, '--force']);
    expect(plain).toMatchObject({ status: 4, stderr: expect.stringContaining('skipped ../outside') });
  });

  test('stores holes as a tree would have them', async () => {
    const sparse = at('sparse-tree');
    mkdirSync(sparse);
    for (const [name, size, data] of [
      ['all-hole', 300_000, []],
      ['small-hole', 8192, []],
      ['near', 400_000, [0, 8192, 200_000]],
      ['end', 1_000_000, [999_999]],
    ] as const) {
      const path = join(sparse, name);
      writeFileSync(path, '');
      truncateSync(path, size);
      for (const offset of data)
        execFileSync('dd', [`of=${path}`, 'bs=1', `seek=${offset}`, 'conv=notrunc', 'status=none'], { input: 'x' });
    }
    execFileSync('tar', ['--sparse', '--format=posix', '-cf', at('holes.tar'), '-C', sparse, '.']);
    await packArchive(at('holes.tar'), image);
    const { problems, differences } = await verifyImage(image, { against: sparse });
    expect({ problems, differences }).toEqual({ problems: [], differences: [] });
  });
});

describe('a damaged archive', () => {
  test.each([
    ['gz', 'gzip'],
    ['xz', 'xz'],
    ['bz2', 'bzip2'],
    ['zst', 'zstd'],
  ])('that was cut, or changed, makes no image: %s', async (ending, program) => {
    execFileSync('tar', ['-cf', at('small.tar'), '-C', tree, 'sizes/1048577']);
    const whole = execFileSync(program, ['-1c', at('small.tar')], { maxBuffer: 1 << 28 });
    const archive = at(`damaged.${ending}`);
    writeFileSync(archive, whole.subarray(0, whole.length / 2));
    expect(['malformed', 'truncated']).toContain((await packError(archive)).code);
    const changed = Buffer.from(whole);
    const middle = Math.floor(changed.length / 2);
    changed.fill(0x55, middle, middle + 64);
    writeFileSync(archive, changed);
    expect(['malformed', 'truncated', 'checksum']).toContain((await packError(archive)).code);
    // Behind the tar's end, where only the compression's own checksum tells.
    const last = Buffer.from(whole);
    last.fill(0, last.length - 8);
    writeFileSync(archive, last);
    expect(['malformed', 'truncated', 'checksum']).toContain((await packError(archive)).code);
    expect(namesIn(at('out'))).toEqual([]);
  });

  test('that was cut, as it is', async () => {
    for (const length of [1, 511, 600, 100_000, 4_000_000]) {
      writeFileSync(at('cut.tar'), readFileSync(at('pax.tar')).subarray(0, length));
      const outcome = await packArchive(at('cut.tar'), image).catch((error: unknown) => error);
      expect(outcome).toBeInstanceOf(ShoalError);
    }
    expect(namesIn(at('out'))).toEqual([]);
  });

  test('is told from what is no archive, or another one', async () => {
    writeFileSync(at('text'), 'text'.repeat(1000));
    expect((await packError(at('text'))).code).toBe('malformed');
    writeFileSync(at('empty'), '');
    expect((await packError(at('empty'))).code).toBe('malformed');
    writeFileSync(at('x.7z'), Buffer.concat([Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1'), Buffer.alloc(1000)]));
    expect(await packError(at('x.7z'))).toMatchObject({
      code: 'unsupported',
      message: 'expected a tar, found a 7z archive; extract it and pack the directory',
    });
    expect((await packError(at('nothing'))).code).toBe('missing');
    expect((await packError(tree)).code).toBe('unsupported');
    expect(namesIn(at('out'))).toEqual([]);
  });
});

describe('a request', () => {
  test('that contradicts itself is refused', () => {
    const output = ['-o', image];
    for (const args of [
      output,
      [tree, '--from-archive', at('pax.tar'), ...output],
      ['--from-archive', at('pax.tar'), '--part', '1/2', ...output],
      ['--from-archive', at('pax.tar')],
    ]) {
      expect(runShoal(['pack', ...args]).status).toBe(2);
    }
  });

  test('for an output that is the archive, or exists, is refused', async () => {
    copyFileSync(at('pax.tar'), at('out', 'x.tar'));
    expect((await packError(at('out', 'x.tar'))).code).toBe('usage');
    expect((await packError(at('pax.tar'))).code).toBe('exists');
    expect(readFileSync(at('out', 'x.tar')).equals(readFileSync(at('pax.tar')))).toBe(true);
  });

  test('whose program is not there says which', () => {
    execFileSync('sh', ['-c', `gzip -1 -c '${at('pax.tar')}' > '${at('p.tar.gz')}'`]);
    const shown = runShoal(['pack', '--from-archive', at('p.tar.gz'), '-o', image], {
      env: { ...process.env, PATH: '/nowhere' },
    });
    expect(shown).toMatchObject({ status: 1, stderr: expect.stringContaining('`gzip`') });
  });

  test('that is cancelled, or whose stream fails, leaves nothing', async () => {
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    const options = { signal: controller.signal, onProgress };
    await expect(packArchive(at('pax.tar'), image, options)).rejects.toMatchObject({ code: 'cancelled' });
    async function* stream() {
      yield readFileSync(at('pax.tar')).subarray(0, 100_000);
      throw new Error('broken');
    }
    await expect(packArchive(stream(), image)).rejects.toBeInstanceOf(ShoalError);
    expect(namesIn(at('out'))).toEqual([]);
    expect(existsSync(image)).toBe(false);
    expect(spawnSync('pgrep', ['-P', `${process.pid}`, 'gzip']).stdout.toString()).toBe('');
  });
});
