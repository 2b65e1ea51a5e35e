import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documents, runShell, runShoal } from '../support/run-shoal.ts';
import { makeSampleImage, oddName, type SampleImage } from '../support/sample-image.ts';

let image: SampleImage;
let index: string;

beforeAll(() => {
  image = makeSampleImage();
  index = image.index;
  // Names and attributes are answered from the index alone.
  rmSync(image.volume);
});
afterAll(() => image.remove());

describe('shoal ls', () => {
  test('prints names as they are into a pipe, sorted by their bytes, hidden ones too', () => {
    const expected = Buffer.concat([Buffer.from('-dash\n.hidden\na.txt\n'), oddName, Buffer.from('\ndir\n')]);
    expect(runShoal(['ls', index]).stdoutBytes).toEqual(expected);
  });

  test('prints names harmless on a terminal', (ctx) => {
    const line = `script -qec '"$NODE" "$PROGRAM" ls ${index}' /dev/null`;
    const { status, stdout, stderr } = runShell(line);
    if (status === 127 || stderr.includes('not found')) ctx.skip('script(1) is not installed');
    expect(stdout).toContain('b\\xFF\\n\r\n');
  });

  test('-l shows what ls -l shows', () => {
    const { stdout } = runShoal(['ls', '-l', index, 'dir'], { env: { ...process.env, TZ: 'UTC' } });
    expect(stdout.split('\n').slice(0, 9)).toEqual([
      'lrwxrwxrwx 1    0   0      11 1970-01-01 00:00 absolute -> /etc/passwd',
      '-rwsr-xr-x 2 1000 100       6 2023-11-14 22:13 again',
      'drwx------ 1    0   0       0 1970-01-01 00:00 empty',
      '-rw-r--r-- 1    0   0 1000000 1970-01-01 00:00 hole',
      '-rw-r--r-- 1    0   0  300000 1970-01-01 00:00 large',
      'lrwxrwxrwx 1    0   0       4 1970-01-01 00:00 loop -> loop',
      'crw-rw-rw- 1    0   0    1, 3 1970-01-01 00:00 null',
      'lrwxrwxrwx 1    0   0      11 1970-01-01 00:00 out -> ../../a.txt',
      'prw-r--r-- 1    0   0       0 1970-01-01 00:00 pipe',
    ]);
  });

  test('-R lists directories below, laid out as by ls -R', () => {
    const { stdout } = runShoal(['ls', '-R', index, 'dir']);
    expect(stdout).toBe('dir:\nabsolute\nagain\nempty\nhole\nlarge\nloop\nnull\nout\npipe\nup\n\ndir/empty:\n');
    expect(runShoal(['ls', '-R', index]).stdout.startsWith('.:\n-dash\n')).toBe(true);
  });

  test('--json prints one document for each entry', () => {
    const entries = documents(runShoal(['ls', '-R', '--json', index]).stdout);
    expect(entries).toHaveLength(15);
    expect(entries[2]).toEqual({
      path: 'a.txt',
      type: 'file',
      inode: 4,
      mode: 0o4755,
      nlink: 2,
      uid: 1000,
      gid: 100,
      size: 6,
      mtime: { seconds: 1.7e9, nanoseconds: 5 },
    });
    expect(entries[3]).toMatchObject({ path: 'b\uFFFD\n', pathBytes: oddName.toString('base64') });
    expect(entries.find(({ path }) => path === 'dir/again')).toMatchObject({ inode: 4, size: 6 });
    expect(entries.find(({ path }) => path === 'dir/up')).toMatchObject({
      type: 'symlink',
      target: '.././/dir/../a.txt',
    });
    expect(entries.find(({ path }) => path === 'dir/null')).toMatchObject({ device: { major: 1, minor: 3 } });
  });

  test('of a file prints its path', () => {
    expect(runShoal(['ls', index, './dir//large']).stdout).toBe('./dir//large\n');
    expect(documents(runShoal(['ls', '--json', index, './dir//large']).stdout)).toMatchObject([{ path: 'dir/large' }]);
  });

  test('into a pipe that closes ends without a word, as ls does', () => {
    const { stdout, stderr } = runShell(
      `while true; do shoal ls -R ${index} || break; done | head -n 2; echo "\${PIPESTATUS[0]}"`,
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^\.:\n-dash\n/);
  });
});

describe('shoal stat', () => {
  test('tells everything about an entry', () => {
    const { status, stdout } = runShoal(['stat', index, 'dir/again', 'dir/large'], {
      env: { ...process.env, TZ: 'UTC' },
    });
    expect(status).toBe(0);
    const text = stdout.replace(/ at \d+ of/g, ' at N of').replace(/crc32c [0-9a-f]{8}/, 'crc32c XXXXXXXX');
    expect(text).toMatchInlineSnapshot(`
      "        path  dir/again
              type  file
             inode  4
      hard link to  a.txt
              mode  4755 -rwsr-xr-x
             links  2
             owner  1000:100
          modified  2023-11-14 22:13:20.000000005 +0000
              size  6 bytes
            extent  6 bytes at N of sample.tar
          checksum  crc32c XXXXXXXX

          path  dir/large
          type  file
         inode  11
          mode  0644 -rw-r--r--
         links  1
         owner  0:0
      modified  1970-01-01 00:00:00.000000000 +0000
          size  300000 bytes
        extent  300000 bytes at N of sample.tar
      checksum  crc32c of each of 3 chunks of 128K
         xattr  user.note="\\x01\\xFF"
      "
    `);
  });

  test('--json gives place and checksum of the content, and extended attributes as bytes', () => {
    const [large, hole, root] = documents(runShoal(['stat', '--json', index, 'dir/large', 'dir/hole', '.']).stdout);
    expect(large).toMatchObject({
      extents: [{ volume: 'sample.tar', length: 300_000, fileOffset: 0 }],
      checksum: { algorithm: 'crc32c', chunkLength: 131_072, chunks: 3 },
      xattrs: [{ name: 'user.note', value: 'Af8=' }],
    });
    expect(hole).toMatchObject({ extents: [{ length: 4, fileOffset: 500_000 }], checksum: { chunks: 1 } });
    expect(root).toMatchObject({ path: '.', inode: 1, children: 5, entries: 15 });
  });

  test('tells of a path that is not there, and goes on', () => {
    const { status, stdout, stderr } = runShoal(['stat', index, 'nothing', 'a.txt']);
    expect(status).toBe(1);
    expect(stdout).toContain('path  a.txt');
    expect(stderr).toBe(
      `shoal: stat: no entry "nothing" in the image; shoal ls shows what there is\n  path: ${index}\n`,
    );
  });
});

describe('shoal du', () => {
  test('sums what is below each directory, and all', () => {
    expect(runShoal(['du', index]).stdout).toBe('1.2M\t10\tdir\n1.2M\t15\t.\n');
    expect(runShoal(['du', index, 'dir']).stdout).toBe('0\t0\tdir/empty\n1.2M\t10\tdir\n');
    expect(runShoal(['du', index, 'dir/large']).stdout).toBe('293K\t0\tdir/large\n');
  });

  test('--json gives exact numbers', () => {
    expect(documents(runShoal(['du', '--json', index, 'dir']).stdout)).toEqual([
      { path: 'dir/empty', bytes: 0, entries: 0 },
      { path: 'dir', bytes: 1_300_044, entries: 10 },
    ]);
  });
});

describe('shoal info', () => {
  test('tells what the image is', () => {
    const text = runShoal(['info', index]).stdout;
    for (const label of ['id', 'format', 'entries', 'bytes', 'index', 'volume', 'shoal.version']) {
      expect(text).toMatch(new RegExp(`^ *${label}  `, 'm'));
    }
    expect(documents(runShoal(['info', '--json', index]).stdout)).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        format: '1.0',
        entries: 16,
        bytes: 1_300_057,
        indexLength: expect.any(Number),
        volumes: [{ name: 'sample.tar', length: expect.any(Number), codec: 'none', checksums: true, byShoal: false }],
        metadata: { 'shoal.version': 'test' },
      },
    ]);
  });
});
