import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { verifyImage } from '../../src/image/verify.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { removeTree } from '../support/remove-tree.ts';
import { makeTortureTree } from '../torture-tree.ts';
import { problemCodes, shownProblems } from './shown-problems.ts';

const time = 1_600_000_000;
const asRoot = process.getuid?.() === 0;
let scratch: string;
let tree: string;
let image: string;

/** The tree that is packed once, and changed anew by each test. */
function makeTree(): void {
  mkdirSync(join(tree, 'folder/inner/deepest'), { recursive: true });
  writeFileSync(join(tree, 'file'), 'content of a file');
  writeFileSync(join(tree, 'large'), Buffer.alloc(3_000_000, 'some bytes'));
  writeFileSync(join(tree, 'folder/one'), 'one');
  writeFileSync(join(tree, 'folder/inner/two'), 'two');
  writeFileSync(join(tree, 'folder/inner/deepest/three'), 'three');
  writeFileSync(join(tree, 'holes'), 'data at the beginning');
  truncateSync(join(tree, 'holes'), 5_000_000);
  writeFileSync(join(tree, 'names-a'), 'one file of two names');
  linkSync(join(tree, 'names-a'), join(tree, 'names-b'));
  symlinkSync('file', join(tree, 'link'));
  execFileSync('mkfifo', ['-m', '644', join(tree, 'fifo')]);
  setXattr('file', 'user.kept', 'value');
  if (asRoot) execFileSync('mknod', ['-m', '600', join(tree, 'device'), 'c', '1', '3']);
  execFileSync('find', [tree, '-exec', 'touch', '-h', '-d', `@${time}`, '{}', '+']);
}

function setXattr(path: string, name: string, value: string): void {
  const script = 'import os, sys; os.setxattr(sys.argv[1], sys.argv[2], sys.argv[3].encode())';
  execFileSync('python3', ['-c', script, join(tree, path), name, value]);
}

/** Changes one thing, and gives the paths, and the directories that they stand in, their times again. */
function changed(paths: readonly string[], change: () => unknown): void {
  change();
  for (const path of paths) {
    for (const at of [join(tree, path), dirname(join(tree, path))]) {
      const found = lstatSync(at, { throwIfNoEntry: false });
      if (found !== undefined) execFileSync('touch', ['-h', '-d', `@${time}`, at]);
    }
  }
}

async function differences(): Promise<string[]> {
  const summary = await verifyImage(image, { against: tree, jobs: 3 });
  expect(summary.problems).toEqual([]);
  return shownProblems(summary.differences);
}

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'shoal-compare-'));
  tree = join(scratch, 'tree');
  image = join(scratch, 'image.shoal');
  makeTree();
  await packTree([tree], image);
});
beforeEach(() => {
  rmSync(tree, { recursive: true });
  makeTree();
});
// Node's rm does not reach below paths of 4 096 bytes.
afterAll(() => removeTree(scratch));

test('a tree that nobody touched does not differ', async () => {
  expect(await differences()).toEqual([]);
});

const at = (path: string) => join(tree, path);

/** What is done, to which paths, and all that may be told of it. */
const changes: readonly [string, readonly string[], () => unknown, readonly string[]][] = [
  ['mode', ['file'], () => chmodSync(at('file'), 0o600), ['file: mode: image 0644, directory 0600']],
  ['directory mode', ['folder'], () => chmodSync(at('folder'), 0o2750), ['folder: mode: image 0755, directory 2750']],
  [
    'mtime',
    [],
    () => execFileSync('touch', ['-d', '@-5.25', at('file')]),
    ['file: mtime: image 1600000000.000000000, directory -6.750000000'],
  ],
  [
    'mtime of a link',
    [],
    () => execFileSync('touch', ['-h', '-d', '@7', at('link')]),
    ['link: mtime: image 1600000000.000000000, directory 7.000000000'],
  ],
  [
    'mtime of the root',
    [],
    () => utimesSync(tree, 1, 1),
    ['.: mtime: image 1600000000.000000000, directory 1.000000000'],
  ],
  ['size', ['file'], () => appendFileSync(at('file'), '!!'), ['file: size: image 17, directory 19']],
  [
    'content',
    ['file'],
    () => writeFileSync(at('file'), 'content of a Film'),
    ['file: content: differs from byte 13 on'],
  ],
  [
    'content of a large file',
    ['large'],
    () => {
      const bytes = readFileSync(at('large'));
      bytes[1_234_567] ^= 1;
      bytes[2_500_000] ^= 1;
      writeFileSync(at('large'), bytes);
    },
    ['large: content: differs from byte 1234567 on'],
  ],
  [
    'bytes in a hole',
    ['holes'],
    () =>
      execFileSync('dd', [`of=${at('holes')}`, 'bs=1', 'seek=4000000', 'conv=notrunc', 'status=none'], { input: 'x' }),
    ['holes: content: differs from byte 4000000 on'],
  ],
  [
    'type',
    ['file'],
    () => {
      unlinkSync(at('file'));
      symlinkSync('large', at('file'));
    },
    ['file: type: image regular file, directory symbolic link'],
  ],
  [
    'directory to link',
    ['folder'],
    () => {
      renameSync(at('folder'), join(scratch, 'moved'));
      symlinkSync('../moved', at('folder'));
    },
    ['folder: type: image directory, directory symbolic link'],
  ],
  [
    'target',
    ['link'],
    () => {
      unlinkSync(at('link'));
      symlinkSync('fill', at('link'));
    },
    ['link: link target: image "file", directory "fill"'],
  ],
  ['missing file', ['folder/one'], () => unlinkSync(at('folder/one')), ['folder/one: missing in the directory']],
  [
    'missing directory',
    ['folder'],
    () => rmSync(at('folder'), { recursive: true }),
    ['folder: missing in the directory, with the 5 entries below it'],
  ],
  [
    'extra entries',
    ['folder/inner/new', 'folder/inner/\x01'],
    () => {
      mkdirSync(at('folder/inner/new/below'), { recursive: true });
      writeFileSync(at('folder/inner/\x01'), '');
    },
    ['folder/inner/\x01: only in the directory', 'folder/inner/new: only in the directory'],
  ],
  [
    'extended attribute',
    ['file'],
    () => {
      setXattr('file', 'user.kept', 'other');
      setXattr('file', 'user.new', 'n\n');
    },
    [
      'file: xattr "user.kept": image "value", directory "other"',
      'file: xattr "user.new": image none, directory "n\\x0a"',
    ],
  ],
  [
    'lost extended attribute',
    ['file'],
    () => execFileSync('python3', ['-c', `import os; os.removexattr(${JSON.stringify(at('file'))}, 'user.kept')`]),
    ['file: xattr "user.kept": image "value", directory none'],
  ],
  [
    'separated names',
    ['names-b'],
    () => {
      copyFileSync(at('names-a'), at('copy'));
      renameSync(at('copy'), at('names-b'));
      chmodSync(at('names-b'), 0o644);
    },
    [
      'names-a: nlink: image 2, directory 1',
      'names-b: hard link: image the same file as names-a, directory a file of its own',
      'names-b: nlink: image 2, directory 1',
    ],
  ],
  [
    'content of separated names',
    ['names-b'],
    () => {
      unlinkSync(at('names-b'));
      writeFileSync(at('names-b'), 'another of the same l');
    },
    [
      'names-a: nlink: image 2, directory 1',
      'names-b: hard link: image the same file as names-a, directory a file of its own',
      'names-b: nlink: image 2, directory 1',
      'names-b: content: differs from byte 0 on',
    ],
  ],
  [
    'joined names',
    ['folder/one'],
    () => {
      unlinkSync(at('folder/one'));
      linkSync(at('folder/inner/two'), at('folder/one'));
    },
    [
      'folder/one: nlink: image 1, directory 2',
      'folder/one: content: differs from byte 0 on',
      'folder/inner/two: nlink: image 1, directory 2',
      'folder/inner/two: hard link: image a file of its own, directory the same file as folder/one',
    ],
  ],
  [
    'FIFO',
    ['fifo'],
    () => {
      unlinkSync(at('fifo'));
      writeFileSync(at('fifo'), '');
    },
    ['fifo: type: image FIFO, directory regular file'],
  ],
];

test.each(changes)('a changed %s is told, and nothing else', async (_, paths, change, expected) => {
  changed(paths, change);
  expect(await differences()).toEqual(expected);
  rmSync(join(scratch, 'moved'), { recursive: true, force: true });
});

test('a changed owner or device is told', async (ctx) => {
  if (!asRoot) ctx.skip('only root can change owners and make devices');
  changed(['file', 'device'], () => {
    chownSync(at('file'), 12, 34);
    unlinkSync(at('device'));
    execFileSync('mknod', ['-m', '600', at('device'), 'c', '1', '5']);
  });
  expect(await differences()).toEqual([
    'device: device: image 1:3, directory 1:5',
    'file: uid: image 0, directory 12',
    'file: gid: image 0, directory 34',
  ]);
});

test('sockets are named, but are no difference', async () => {
  changed(['socket'], () =>
    execFileSync('python3', [
      '-c',
      `import socket; socket.socket(socket.AF_UNIX).bind(${JSON.stringify(at('socket'))})`,
    ]),
  );
  const { differences: told, ignored } = await verifyImage(image, { against: tree });
  expect(told).toEqual([]);
  expect(shownProblems(ignored)).toEqual(['socket: a socket, which no image holds']);
});

test('damage of the image is told apart from differences', async () => {
  const whole = readFileSync(join(scratch, 'image.tar'));
  const bytes = Buffer.from(whole);
  bytes[bytes.indexOf('some bytes') + 1_000_000] ^= 1;
  writeFileSync(join(scratch, 'image.tar'), bytes);
  changed(['folder/one'], () => unlinkSync(at('folder/one')));
  const summary = await verifyImage(image, { against: tree }).finally(() => {
    writeFileSync(join(scratch, 'image.tar'), whole);
  });
  expect(problemCodes(summary.problems)).toEqual(['large: checksum']);
  expect(problemCodes(summary.differences)).toEqual(['folder/one: different']);
});

test('a tree with everything that a filesystem allows equals its image', async () => {
  const torture = join(scratch, 'torture');
  const { sockets } = makeTortureTree(torture, { crowd: 3000 });
  const { image: index } = await packTree([torture], join(scratch, 'torture.shoal'));
  const summary = await verifyImage(index, { against: torture });
  expect(shownProblems(summary.problems)).toEqual([]);
  expect(shownProblems(summary.differences)).toEqual([]);
  expect(summary.ignored.map(({ path }) => path.toString('latin1')).sort()).toEqual([...sockets].sort());
});

test('a directory that is not there is an error', async () => {
  await expect(verifyImage(image, { against: join(scratch, 'nowhere') })).rejects.toMatchObject({ code: 'missing' });
});
