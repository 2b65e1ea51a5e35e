import { execFileSync } from 'node:child_process';
import { createWriteStream, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pack as tarStream } from 'tar-stream';
import { beforeAll, describe, expect, test } from 'vitest';
import { openImage } from '../../src/image/open-image.ts';
import { indexArchive } from '../../src/indexers/index-archive.ts';
import { differencesFromTar, hasProgram, isRoot, run, scratchDirectory } from './indexed-tar.ts';

const scratch = scratchDirectory();
const makeTree = String.raw`
import os, sys
os.chdir(sys.argv[1].encode())
root = os.getuid() == 0
os.makedirs(b'tree/d\xff\xfe/empty'); os.makedirs(b'tree/sub/deeper')
def put(path, data, mode=0o644, mtime=(1500000000, 123456789)):
    with open(path, 'wb') as f: f.write(data)
    os.chmod(path, mode)
    os.utime(path, ns=(0, mtime[0] * 10**9 + mtime[1]))
put(b'tree/small', b'small\n')
put(b'tree/empty', b'')
put(b'tree/block', b'b' * 512, 0o4755)
put(b'tree/large', bytes(i * 7 % 251 for i in range(300000)))
put(b'tree/sub/new\nline and space', b'x', 0o600)
put(b'tree/' + b'n' * 99, b'99'); put(b'tree/sub/' + b'n' * 100, b'100')
os.makedirs(b'tree/' + b'p' * 60 + b'/' + b'q' * 60)
put(b'tree/' + b'p' * 60 + b'/' + b'q' * 60 + b'/' + b'r' * 80, b'prefix')
os.link(b'tree/small', b'tree/sub/deeper/hard')
os.symlink(b'../small', b'tree/sub/soft'); os.symlink(b'/nowhere/at/all', b'tree/dangling')
os.mkfifo(b'tree/fifo')
if root:
    os.mknod(b'tree/char', 0o020640, os.makedev(1, 3)); os.mknod(b'tree/block-device', 0o060640, os.makedev(259, 1048575))
    os.chown(b'tree/sub', 1234, 5678)
if 'rich' in sys.argv:
    put(b'tree/sub/' + b'l' * 255, b'long name')
    put(b'tree/old', b'old', mtime=(-315619200, 0 if 'portable' in sys.argv else 500000000)); put(b'tree/future', b'future', mtime=(9000000000, 1))
    os.symlink(b'/' + b't' * 200, b'tree/long-target')
    with open(b'tree/sparse', 'wb') as f:
        f.truncate(20 << 20)
        for at in range(0, 40):
            f.seek(at * 400000); f.write(b'data %d' % at)
    with open(b'tree/all-hole', 'wb') as f: f.truncate(5 << 20)
    if root: os.chown(b'tree/small', 3000000, 4000000000)
    os.utime(b'tree/sparse', ns=(0, 10**18)); os.utime(b'tree/all-hole', ns=(0, 10**18))
if 'xattrs' in sys.argv:
    os.setxattr(b'tree/small', b'user.plain', b'value'); os.setxattr(b'tree/small', b'user.bytes', b'\x00\xff\n=')
    if 'portable' not in sys.argv: os.setxattr(b'tree/small', b'user.a%b=c', b'odd name')
    os.setxattr(b'tree/sub', b'user.on-directory', b'')
`;

beforeAll(() => {
  const trees = {
    plain: [],
    rich: ['rich'],
    xattrs: ['rich', 'xattrs'],
    // Without fractions before 1970 and `=` in names of attributes, which bsdtar 3 does not read back as it found them.
    portable: ['rich', 'xattrs', 'portable'],
  };
  for (const [name, options] of Object.entries(trees)) {
    mkdirSync(join(scratch, name));
    execFileSync('python3', ['-c', makeTree, join(scratch, name), ...options]);
  }
});

/** What a dialect cannot say: links counts are those of the archive, and GNU tar may leave sparse files' blocks as it likes. */
async function expectSameAsTar(archive: string, program: 'tar' | 'bsdtar' = 'tar'): Promise<void> {
  const { differences, result } = await differencesFromTar(archive, { ignore: isRoot ? [] : ['uid', 'gid'] }, program);
  expect(differences.filter((line) => !isOfImpliedRoot(line))).toEqual([]);
  expect(result.skipped).toEqual([]);
}

/** The directory that everything was extracted into is no member of these archives. */
function isOfImpliedRoot(line: string): boolean {
  return /^\.?:|^\.\s/.test(line);
}

describe('archives of GNU tar are indexed as it extracts them', () => {
  test.for(['v7', 'ustar'])('in its format %s', async (format) => {
    const archive = join(scratch, `gnu-${format}.tar`);
    // What the format cannot hold, tar leaves out with a warning and exit code 2.
    execFileSync('sh', [
      '-c',
      `tar --format=${format} -cf "$0" -C "$1" tree 2>/dev/null || true`,
      archive,
      join(scratch, 'plain'),
    ]);
    await expectSameAsTar(archive);
  });

  test.for(['oldgnu', 'gnu', 'posix'])('in its format %s, with holes', async (format) => {
    const archive = join(scratch, `gnu-${format}.tar`);
    run('tar', [`--format=${format}`, '-S', '-cf', archive, '-C', join(scratch, 'rich'), 'tree'], '/');
    await expectSameAsTar(archive);
  });

  test.for(['0.0', '0.1', '1.0'])('with sparse format %s and extended attributes', async (version) => {
    const archive = join(scratch, `sparse-${version}.tar`);
    const flags = ['--format=posix', '--xattrs', '-S', `--sparse-version=${version}`];
    run('tar', [...flags, '-cf', archive, '-C', join(scratch, 'xattrs'), 'tree'], '/');
    await expectSameAsTar(archive);
  });

  test('with leading slashes, `./` and a metadata of the root', async () => {
    const archive = join(scratch, 'absolute.tar');
    run('tar', ['-P', '--transform', 's,^,//./,', '-cf', archive, '-C', join(scratch, 'plain'), 'tree'], '/');
    await expectSameAsTar(archive);
    const dotted = join(scratch, 'dotted.tar');
    run('tar', ['--format=posix', '-cf', dotted, '-C', join(scratch, 'rich/tree'), '.'], '/');
    const { differences } = await differencesFromTar(dotted);
    expect(differences).toEqual([]);
  });

  test.for(['gnu', 'posix'])('of an incremental backup in format %s', async (format) => {
    const archive = join(scratch, `incremental-${format}.tar`);
    const snapshot = join(scratch, `snapshot-${format}`);
    run('tar', [`--format=${format}`, '-g', snapshot, '-cf', archive, '-C', join(scratch, 'plain'), 'tree'], '/');
    await expectSameAsTar(archive);
  });

  test('with a volume label', async () => {
    const archive = join(scratch, 'label.tar');
    run('tar', ['--format=gnu', '-V', 'a label', '-cf', archive, '-C', join(scratch, 'plain'), 'tree'], '/');
    await expectSameAsTar(archive);
  });

  test('after members were added again, and after another archive was appended', async () => {
    const directory = join(scratch, 'growing');
    mkdirSync(join(directory, 'd'), { recursive: true });
    const archive = join(scratch, 'growing.tar');
    const versions = ['first', 'second one', 'the third version'];
    for (const [turn, content] of versions.entries()) {
      writeFileSync(join(directory, 'd/file'), content);
      writeFileSync(join(directory, `d/only-${turn}`), content);
      run('tar', [turn === 0 ? '-cf' : '-rf', archive, '-C', directory, 'd'], '/');
    }
    const other = join(scratch, 'other.tar');
    run('tar', ['-cf', other, '-C', join(scratch, 'plain'), 'tree'], '/');
    run('tar', ['-Af', archive, other], '/');
    await expectSameAsTar(archive);
  });
});

describe('archives of bsdtar are indexed as it extracts them', () => {
  test.for(['v7', 'ustar', 'gnutar', 'pax'])('in its format %s', async (format, ctx) => {
    if (!hasProgram('bsdtar')) ctx.skip('bsdtar is not installed');
    const archive = join(scratch, `bsd-${format}.tar`);
    const tree = format === 'pax' ? 'portable' : 'plain';
    execFileSync('sh', [
      '-c',
      `LC_ALL=C.UTF-8 bsdtar --format ${format} -cf "$0" -C "$1" tree 2>/dev/null || true`,
      archive,
      join(scratch, tree),
    ]);
    // GNU tar forgets times of directories whose children do not follow at once, as they do not here.
    await expectSameAsTar(archive, 'bsdtar');
  });
});

test('an archive of tar-stream is indexed as GNU tar extracts it', async () => {
  const archive = join(scratch, 'tar-stream.tar');
  const pack = tarStream();
  pack.entry({ name: 'dir/', type: 'directory', mtime: new Date(1e12) });
  pack.entry({ name: 'dir/file', mtime: new Date(1e12 + 500) }, 'content');
  pack.entry({ name: `dir/${'ü'.repeat(120)}`, mtime: new Date(0) }, 'long name');
  pack.entry({ name: 'dir/link', type: 'symlink', linkname: 'file', mtime: new Date(0) });
  pack.entry({ name: 'dir/hard', type: 'link', linkname: 'dir/file' });
  pack.finalize();
  await pipeline(pack, createWriteStream(archive));
  await expectSameAsTar(archive);
});

test('the TypeScript reader gives the content of every file, through holes and hard links', async () => {
  const archive = join(scratch, 'read.tar');
  run('tar', ['--format=posix', '-S', '-cf', archive, '-C', join(scratch, 'rich/tree'), '.'], '/');
  const { image: path, entries } = await indexArchive(Buffer.from(archive));
  const image = openImage(path);
  let files = 0;
  for (let number = 0; number < entries; number++) {
    const entry = image.index.resolve(number);
    if (entry.kind !== 'file') continue;
    const name = Buffer.concat([Buffer.from(`${join(scratch, 'rich/tree')}/`), image.index.entryPath(number)]);
    expect(image.read(entry, 0, entry.size).equals(readFileSync(name)), name.toString()).toBe(true);
    expect(entry.nlink).toBe(statSync(name).nlink);
    files++;
  }
  image.close();
  expect(files).toBeGreaterThan(10);
  expect(readdirSync(scratch)).toContain('read.tar.shoal');
});
