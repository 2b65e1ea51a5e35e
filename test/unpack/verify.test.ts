import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as format from '../../src/format/constants.ts';
import { crc32c } from '../../src/format/crc32c.ts';
import { verifyImage } from '../../src/image/verify.ts';
import { ImageEditor } from '../fixtures/image-editor.ts';
import { type BuiltImage, buildImage, type Node } from '../support/build-image.ts';
import { indexBytes } from '../support/index-bytes.ts';
import { columnsOf, directory, file } from '../support/model-tree.ts';
import { problemCodes, shownProblems } from './shown-problems.ts';

let scratch: string;
let images = 0;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'shoal-verify-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const chunk = format.chunkLength;
const noise = (length: number, step: number) => Buffer.from(Uint8Array.from({ length }, (_, at) => (at * step) >> 3));

const small: Node = { kind: 'file', content: noise(6000, 5) };
const empty: Node = { kind: 'file', content: Buffer.alloc(0) };
const oneChunk: Node = { kind: 'file', content: noise(chunk, 7) };
const large: Node = { kind: 'file', content: noise(20 * chunk + 77, 11) };
const sparse: Node = {
  kind: 'sparse',
  size: 40 * chunk,
  data: new Map([
    [chunk / 2, noise(chunk, 13)],
    [9 * chunk, noise(12 * chunk, 17)],
  ]),
};
const root: Node = {
  kind: 'directory',
  children: {
    alias: { kind: 'alias', of: large },
    folder: { kind: 'directory', children: { small, empty, oneChunk } },
    'a large file': large,
    link: { kind: 'link', target: Buffer.from('folder/small') },
    none: { kind: 'directory', children: {} },
    sparse,
    zero: { kind: 'sparse', size: 5000, data: new Map() },
  },
};
/** Of all files, holes included. */
const contentBytes = 6000 + chunk + 20 * chunk + 77 + 40 * chunk + 5000;

function freshImage(options: { checksums?: boolean } = {}): BuiltImage {
  return buildImage(scratch, `image-${images++}`, root, options);
}

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset] ^= 1;
  writeFileSync(path, bytes);
}

function editIndex(image: BuiltImage, change: (editor: ImageEditor) => unknown): void {
  const editor = new ImageEditor(readFileSync(image.index));
  change(editor);
  writeFileSync(image.index, editor.seal().bytes);
}

test('an image that is whole has no problems', async () => {
  const image = freshImage();
  const summary = await verifyImage(image.index);
  expect(summary).toEqual({
    entries: 11,
    bytes: contentBytes,
    uncheckedBytes: 0,
    unframedVolumes: 1, // buildImage writes no headers that pieces could cover
    problems: [],
    differences: [],
    ignored: [],
  });
});

test('progress ends at the totals', async () => {
  let last = {};
  await verifyImage(freshImage().index, {
    onProgress: (progress) => {
      last = progress;
    },
  });
  expect(last).toEqual({ entriesDone: 11, entriesTotal: 11, bytesDone: contentBytes, bytesTotal: contentBytes });
});

test('of a volume without checksums it is said that its bytes were not checked', async () => {
  const image = freshImage({ checksums: false });
  flip(image.volume, (image.offsets.get(large) ?? 0) + 5000);
  const { uncheckedBytes, problems } = await verifyImage(image.index);
  expect(problems).toEqual([]);
  expect(uncheckedBytes).toBe(contentBytes - 5000); // the file that is all hole has no bytes in the volume
});

const damaged: readonly [string, Node, number, string][] = [
  ['a small file', small, 5999, 'folder/small'],
  ['a file of one chunk', oneChunk, 0, 'folder/oneChunk'],
  ['the first chunk of a large file', large, 5000, 'a large file'],
  ['a chunk in the middle of a large file', large, 11 * chunk + 3, 'a large file'],
  ['the last byte of a large file', large, 20 * chunk + 76, 'a large file'],
  ['the first extent of a file with holes', sparse, 0, 'sparse'],
];

test.each(damaged)('one flipped bit in %s is told with its path, volume and offset', async (_, node, at, path) => {
  const image = freshImage();
  const offset = (image.offsets.get(node) ?? 0) + at;
  flip(image.volume, offset);
  const { problems } = await verifyImage(image.index, { jobs: 3 });
  expect(problemCodes(problems)).toEqual([`${path}: checksum`]);
  const start = offset - (at % chunk);
  expect(problems[0].message).toContain(`(${image.volume} at offset ${start})`);
  expect(problems[0].message).toMatch(/expected .* [0-9a-f]{8}, found [0-9a-f]{8}/);
});

test('all damaged files are told, in the order of the index, and the others are gone through', async () => {
  const image = freshImage();
  for (const node of [sparse, small, large, oneChunk]) flip(image.volume, (image.offsets.get(node) ?? 0) + 5500);
  const { problems, entries } = await verifyImage(image.index, { jobs: 4 });
  expect(problemCodes(problems)).toEqual([
    'a large file: checksum',
    'sparse: checksum',
    'folder/oneChunk: checksum',
    'folder/small: checksum',
  ]);
  expect(entries).toBe(11);
});

test('files are found wherever they lie: the order in the volume need not be that of the index', async () => {
  const contents = Array.from({ length: 300 }, (_, at) => noise(1 + ((at * 7919) % 9000), at + 3));
  const parts = [Buffer.alloc(600)];
  const offsets: number[] = [];
  let length = 600;
  // From the last to the first, and each third behind a gap that no read should cross.
  for (const at of contents.keys()) {
    const content = contents[contents.length - 1 - at];
    const gap = Buffer.alloc(at % 3 === 0 ? 70_000 : 512);
    offsets[contents.length - 1 - at] = length + gap.length;
    parts.push(gap, content);
    length += gap.length + content.length;
  }
  const volume = Buffer.concat(parts);
  const files = contents.map((content, at) =>
    file(`f${String(at).padStart(3, '0')}`, content.length, offsets[at], { checksum: crc32c(content) }),
  );
  const columns = columnsOf(directory('', files));
  const row = {
    name: Buffer.from('backwards.tar'),
    length,
    codec: 0,
    flags: format.volumeHasChecksums,
    headChecksum: crc32c(volume.subarray(0, 4096)),
    tailChecksum: crc32c(volume.subarray(-4096)),
  };
  const index = join(scratch, 'backwards.shoal');
  writeFileSync(index, indexBytes(columns, [row]));
  writeFileSync(join(scratch, 'backwards.tar'), volume);
  expect((await verifyImage(index)).problems).toEqual([]);

  flip(join(scratch, 'backwards.tar'), offsets[123]);
  expect(problemCodes((await verifyImage(index)).problems)).toEqual(['f123: checksum']);
});

test('every block of the index is checked', async () => {
  const whole = freshImage();
  const sections = [
    'entries',
    'names',
    'hash',
    'attributes',
    'directories',
    'checksums',
    'volumes',
    'metadata',
  ] as const;
  for (const section of sections) {
    const image = { ...whole, index: join(scratch, `block-${section}.shoal`) };
    const editor = new ImageEditor(readFileSync(whole.index));
    writeFileSync(image.index, editor.flip(editor.at(section)).bytes);
    await expect(verifyImage(image.index)).rejects.toMatchObject({ code: 'checksum', path: image.index });
  }
});

test('a volume that is cut off is told before anything is read', async () => {
  const image = freshImage();
  truncateSync(image.volume, 100_000);
  await expect(verifyImage(image.index)).rejects.toMatchObject({
    code: 'truncated',
    path: image.volume,
    offset: 100_000,
  });
});

test('names out of order are told', async () => {
  const image = freshImage();
  editIndex(image, (editor) => editor.setName(image.numbers.get(sparse) ?? 0, 'spars3').setName(5, 'zone'));
  const { problems } = await verifyImage(image.index);
  expect(shownProblems(problems).join('\n')).toContain(
    'expected names sorted and unique in a directory, found "spars3" behind "zone"',
  );
});

test('a name that no lookup finds is told', async () => {
  const image = freshImage();
  editIndex(image, (editor) => {
    for (let slot = 0; slot < 16; slot++) editor.set32(editor.at('hash', slot * 4), 0);
  });
  const { problems } = await verifyImage(image.index);
  expect(problems.length).toBe(10);
  expect(shownProblems(problems)[0]).toMatch(
    /^a large file: expected that a lookup of the name finds entry 1, found nothing/,
  );
});

test('wrong sums of a directory are told', async () => {
  const image = freshImage();
  editIndex(image, (editor) => editor.set64(editor.at('directories', 24 + 8), 5n));
  const { problems } = await verifyImage(image.index);
  expect(shownProblems(problems)).toEqual([
    expect.stringMatching(/^folder: expected sums of 3 entries and 137072 bytes, found 3 and 5/),
  ]);
});

test('verifying stops when it is told to', async () => {
  // A terabyte to read; the volume is a hole of that length.
  const length = 2 ** 40;
  const zeros = crc32c(Buffer.alloc(4096));
  const row = { name: Buffer.from('huge.tar'), length, codec: 0, flags: 0, headChecksum: zeros, tailChecksum: zeros };
  const columns = columnsOf(directory('', [file('huge', length, 0)]));
  const index = join(scratch, 'huge.shoal');
  writeFileSync(index, indexBytes(columns, [row]));
  writeFileSync(join(scratch, 'huge.tar'), '');
  truncateSync(join(scratch, 'huge.tar'), length);

  const abort = new AbortController();
  const running = verifyImage(index, {
    signal: abort.signal,
    onProgress: ({ bytesDone }) => bytesDone > 0 && abort.abort(),
  });
  await expect(running).rejects.toMatchObject({ code: 'cancelled' });
});
