import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as format from '../../src/format/constants.ts';
import { extractImage } from '../../src/image/extract.ts';
import { openImage } from '../../src/image/open-image.ts';
import { verifyImage } from '../../src/image/verify.ts';
import { indexArchive } from '../../src/indexers/index-archive.ts';
import { loadAddon } from '../../src/native/load.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { base, baseIndex, baseVolume, baseVolumeRow } from '../fixtures/base-image.ts';
import { ImageEditor } from '../fixtures/image-editor.ts';
import { compressImage } from '../support/compress-image.ts';
import { nativeBuildTimeout, nativeProgram } from '../support/native-programs.ts';
import { seededRandom } from '../support/random.ts';

const scratch = mkdtempSync(join(tmpdir(), 'shoal-compressed-'));
const tree = join(scratch, 'tree');
const plainImage = join(scratch, 'plain.shoal');
const frameLengths = [16_384, 131_072, 8_388_608];
const addon = loadAddon();

/** Text that shrinks, and bytes that do not, in files of all sizes. */
function writeTree(): void {
  mkdirSync(join(tree, 'many'), { recursive: true });
  const random = seededRandom(5);
  const noise = Buffer.from(Uint8Array.from({ length: 700_000 }, () => 256 * random()));
  const text = Buffer.from(Array.from({ length: 60_000 }, (_, i) => `line ${i * i} of a text\n`).join(''));
  writeFileSync(join(tree, 'noise'), noise);
  writeFileSync(join(tree, 'text'), text);
  for (let i = 0; i < 300; i++) {
    const from = (i % 3 === 0 ? noise : text).subarray(Math.floor(600_000 * random()));
    writeFileSync(join(tree, 'many', `${i}`), from.subarray(0, Math.floor(9000 * random() ** 2)));
  }
}

beforeAll(async () => {
  nativeProgram('image_read');
  writeTree();
  await packTree([tree], plainImage);
}, nativeBuildTimeout);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The packed image with its volume compressed, in a directory of its own. */
function compressed(frameLength: number, level = 3): { image: string; volume: string } {
  const directory = mkdtempSync(join(scratch, 'image-'));
  const image = join(directory, 'image.shoal');
  writeFileSync(image, readFileSync(plainImage));
  writeFileSync(join(directory, 'plain.tar'), readFileSync(join(scratch, 'plain.tar')));
  const [volume] = compressImage(image, { frameLength, level });
  return { image, volume: volume as string };
}

describe('a compressed volume', () => {
  test.for(frameLengths)('in frames of %i bytes is what the zstd command makes the tar of again', (length, ctx) => {
    if (spawnSync('zstd', ['--version']).error !== undefined) ctx.skip('the command zstd is not installed');
    const { volume } = compressed(length);
    const plain = execFileSync('zstd', ['-dc', volume], { maxBuffer: 2 ** 26 });
    expect(plain.equals(readFileSync(join(scratch, 'plain.tar')))).toBe(true);
    const listed = execFileSync('tar', ['--zstd', '-tf', volume], { encoding: 'utf8' }).split('\n');
    expect(listed).toContain('many/299');
  });

  test.for(frameLengths)('in frames of %i bytes gives all content, to both readers, and is whole', async (length) => {
    const { image } = compressed(length);
    const [opened, plain] = [openImage(image), openImage(plainImage)];
    expect(opened.index.id).toEqual(plain.index.id);
    for (let entry = 0; entry < plain.index.entryCount; entry++) {
      if (plain.index.get(entry).kind !== 'file') continue;
      const [found, expected] = [opened, plain].map((one) =>
        Buffer.concat([...one.file(one.index.get(entry)).stream()]),
      );
      expect(found?.equals(expected as Buffer), `entry ${entry}`).toBe(true);
    }
    opened.close();
    plain.close();
    expect(await verifyImage(image, { against: tree, jobs: 3 })).toMatchObject({
      problems: [],
      differences: [],
      uncheckedBytes: 0,
      unframedVolumes: 0,
    });
    const copy = join(image, '../copy');
    mkdirSync(copy);
    expect(await extractImage(image, copy, { jobs: 3 })).toMatchObject({ problems: [] });
    expect(readFileSync(join(copy, 'noise')).equals(readFileSync(join(tree, 'noise')))).toBe(true);
  });

  test('has its head as it is, so that the id can be put there', () => {
    const { volume } = compressed(131_072);
    const bytes = readFileSync(volume);
    const plain = readFileSync(join(scratch, 'plain.tar'));
    expect(bytes.subarray(12, 12 + 1024).equals(plain.subarray(0, 1024))).toBe(true);
  });

  test.for(frameLengths)('in frames of %i bytes gives the index anew, byte for byte', async (length) => {
    const { image, volume } = compressed(length);
    const before = readFileSync(image);
    rmSync(image);
    const made = await indexArchive(volume);
    expect(made.image.toString()).toBe(join(volume, '../plain.shoal'));
    expect(made.skipped).toEqual([]);
    expect(readFileSync(made.image).equals(before)).toBe(true);
  });

  test('is read frame by frame, each decompressed once for all the files in it', (ctx) => {
    const reader = nativeProgram('image_read');
    if ('missing' in reader) return ctx.skip(reader.missing);
    const { image, volume } = compressed(16_384);
    const opened = openImage(image);
    const files = Array.from({ length: opened.index.entryCount }, (_, entry) => opened.index.get(entry));
    const wanted = files.filter(({ kind, size }) => kind === 'file' && size > 0).map(({ number }) => number);
    opened.close();
    const input = [...wanted, ...wanted].map((number) => `${number} 0 10000000\n`).join('');
    const answers = execFileSync(reader.path, [image], { input, encoding: 'utf8' }).trimEnd().split('\n');
    const counters = JSON.parse(answers.at(-1) as string);
    expect(counters.storageBytes).toBeGreaterThan(0);
    expect(counters.storageBytes).toBeLessThanOrEqual(readFileSync(volume).length);
    expect(counters).toMatchObject({ retries: 0, checksumFailures: 0 });
  });
});

test('an image may have volumes of both kinds, and a file extents in both', async () => {
  const directory = mkdtempSync(join(scratch, 'mixed-'));
  const image = join(directory, 'image.shoal');
  const rows = ['one.tar', 'two.tar'].map((name) => ({ ...baseVolumeRow, name: Buffer.from(name) }));
  for (const { name } of rows) writeFileSync(join(directory, name.toString()), baseVolume);
  const editor = new ImageEditor(baseIndex(rows));
  // The small file, and the second extent of the one with holes, are in the other volume.
  editor.setWord(base.small, 3, 1 << 16).set32(editor.at('extents', 48 + 24), 1);
  writeFileSync(image, editor.seal().bytes);
  const contents = () => {
    const opened = openImage(image);
    const read = [base.big, base.small, base.sparse].map((entry) => opened.read(opened.index.get(entry), 0, 2e6));
    opened.close();
    return read;
  };
  const plain = contents();
  compressImage(image, { frameLength: 16_384, rows: [1] });
  expect(contents()).toEqual(plain);
  expect(await verifyImage(image)).toMatchObject({ problems: [] });
});

describe('the encoder', () => {
  const arbitraryPlain = fc
    .array(
      fc.oneof(
        fc.uint8Array({ maxLength: 30_000 }),
        fc.nat(60_000).map((length) => Buffer.alloc(length, 'ab')),
      ),
      {
        maxLength: 5,
      },
    )
    .map((parts) => Buffer.concat(parts));

  test('makes frames that are decompressed to what they were made of, never much longer than it', () => {
    fc.assert(
      fc.property(
        arbitraryPlain,
        fc.constantFrom(16_384, 32_768, 131_072),
        fc.constantFrom(1, 3, 19),
        (plain, length, level) => {
          const { bytes, offsets, frameLength } = addon.zstdEncode(plain, length, level);
          expect(offsets.length - 1).toBe(Math.ceil(plain.length / frameLength));
          for (let frame = 0; frame + 1 < offsets.length; frame++) {
            const expected = plain.subarray(frame * frameLength, (frame + 1) * frameLength);
            const into = Buffer.alloc(expected.length);
            const stored = bytes.subarray(offsets[frame], offsets[frame + 1]);
            addon.zstdDecompress(stored, into);
            expect(into.equals(expected)).toBe(true);
            expect(stored.length).toBeLessThanOrEqual(expected.length + 18);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('finds that compressing pays for text, and not for what is compressed already', () => {
    const text = readFileSync(join(tree, 'text'));
    const noise = readFileSync(join(tree, 'noise'));
    expect(addon.zstdEncode(text, format.frameLength, 3).pays).toBe(true);
    expect(addon.zstdEncode(noise, format.frameLength, 3).pays).toBe(false);
    expect(addon.zstdEncode(Buffer.alloc(0), format.frameLength, 3).pays).toBe(false);
  });

  test('gives the same bytes each time', () => {
    const text = readFileSync(join(tree, 'text'));
    const [once, again] = [1, 2].map(() => addon.zstdEncode(text, format.frameLength, 3).bytes);
    expect(once?.equals(again as Buffer)).toBe(true);
  });
});

describe('a decompressor that is given', () => {
  const frame = addon.zstdEncode(Buffer.alloc(50_000, 'text '), 131_072, 3).bytes;

  test('hostile bytes gives the right length or an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(frame.length), fc.nat(100_000), (noise, at, length) => {
        const hostile = Buffer.from(frame);
        hostile.set(noise.subarray(0, hostile.length - at), at);
        for (const bytes of [noise, hostile]) {
          try {
            addon.zstdDecompress(bytes, Buffer.alloc(length));
          } catch (error) {
            expect((error as { code: string }).code).toBe('checksum');
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('verify tells damage of a compressed volume', () => {
  test('in a frame, as that of the files that lie in it', async () => {
    const { image, volume } = compressed(16_384);
    const opened = openImage(image);
    const { index } = opened;
    const frame = 20;
    const { offset, length } = index.frame(0, index.frameTable(0) as never, frame);
    const hit = Array.from({ length: index.entryCount }, (_, entry) => index.get(entry)).filter(
      ({ kind, size, offset: at }) =>
        kind === 'file' && size > 0 && at < (frame + 1) * 16_384 && at + size > frame * 16_384,
    );
    const names = hit.map(({ number }) => index.entryPath(number).toString());
    opened.close();
    const bytes = readFileSync(volume);
    bytes.fill(0xff, offset + 20, offset + length);
    writeFileSync(volume, bytes);
    const { problems } = await verifyImage(image, { jobs: 2 });
    expect(problems.map(({ path, code }) => `${path} ${code}`)).toEqual(names.map((name) => `${name} checksum`));
  });

  test('in its seek table, although every file can be read', async () => {
    const { image, volume } = compressed(16_384);
    const bytes = readFileSync(volume);
    // The head and tail that tell the volume from another file stay as they are only where the table is long.
    const table = bytes.length - 9 - 8 * Math.ceil(readFileSync(join(scratch, 'plain.tar')).length / 16_384);
    const damaged = Buffer.from(bytes);
    damaged[table + 8] ^= 1;
    const editor = new ImageEditor(readFileSync(image));
    writeFileSync(volume, damaged);
    const tail = damaged.subarray(-4096);
    editor.set32(editor.at('volumes', 20), addon.crc32c(tail)).seal();
    writeFileSync(image, editor.bytes);
    const { problems } = await verifyImage(image);
    expect(problems.map(({ path, code }) => [path.toString(), code])).toEqual([[volume, 'malformed']]);
    expect(problems[0]?.message).toMatch(/seek table|before the seek table/);
  });
});

describe('no index is made', () => {
  async function failureOf(bytes: Buffer): Promise<string> {
    const path = join(mkdtempSync(join(scratch, 'damaged-')), 'volume.tar.zst');
    writeFileSync(path, bytes);
    return indexArchive(path).then(
      () => 'none',
      ({ code, message }) => `${code}: ${message}`,
    );
  }

  test('of zstd frames without a seek table, or of other lengths; it says what to do', async () => {
    const { volume } = compressed(131_072);
    const bytes = readFileSync(volume);
    const told = 'unsupported: expected an uncompressed tar, found a zstd-compressed file; ';
    expect(await failureOf(bytes.subarray(0, -1))).toContain(told);
    const odd = Buffer.from(bytes);
    const frames = odd.readUInt32LE(odd.length - 9);
    odd.writeUInt32LE(131_071, odd.length - 9 - 8 * frames + 4);
    expect(await failureOf(odd)).toContain(told);
    expect(await failureOf(odd)).toContain('decompress it first');
  });

  test('of a volume that contradicts its seek table, or is damaged', async () => {
    const { volume } = compressed(131_072);
    const bytes = readFileSync(volume);
    const moved = Buffer.from(bytes);
    moved[moved.length - 9 - 8] ^= 1;
    expect(await failureOf(moved)).toMatch(/^malformed: expected frames of \d+ bytes before the seek table, found \d+/);
    const many = Buffer.from(bytes);
    many.writeUInt32LE(0x7fffffff, many.length - 9);
    expect(await failureOf(many)).toMatch(/^malformed: expected a seek table within the file/);
    const flipped = Buffer.from(bytes);
    flipped.fill(0, flipped.length - 60_000, flipped.length - 50_000);
    expect(await failureOf(flipped)).toMatch(/^checksum: expected a zstd frame of 131072 bytes/);
  });

  test('under sanitizers: thousands of changes', (ctx) => {
    const scanner = nativeProgram('tar_scan');
    if ('missing' in scanner) return ctx.skip(scanner.missing);
    const path = join(scratch, 'flips.tar.zst');
    const small = join(scratch, 'small');
    mkdirSync(small);
    for (let i = 0; i < 40; i++) writeFileSync(join(small, `${i}`), `content ${i}`.repeat(50));
    execFileSync('tar', ['-cf', join(scratch, 'small.tar'), '-C', small, '.']);
    writeFileSync(path, addon.zstdEncode(readFileSync(join(scratch, 'small.tar')), 16_384, 3).bytes);
    const flips = execFileSync(scanner.path, ['--flips', path, '7', '2000'], { encoding: 'utf8' });
    expect(flips).toMatch(/^checksum [0-9]+$/m);
  });
});
