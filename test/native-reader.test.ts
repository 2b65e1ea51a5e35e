import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as format from '../src/format/constants.ts';
import { crc32c } from '../src/format/crc32c.ts';
import type { NativeIndex } from '../src/native/addon.ts';
import { loadAddon, toShoalError } from '../src/native/load.ts';
import { type BuiltImage, buildImage, type Node } from './support/build-image.ts';
import { nativeBuildTimeout, nativeProgram } from './support/native-programs.ts';

const native = loadAddon();
const chunk = format.chunkLength;
let scratch: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'shoal-reader-'));
  nativeProgram('index_walk');
}, nativeBuildTimeout);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Bytes that repeat at no distance that a chunk or block boundary could hide. */
function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** What `act` throws, as a ShoalError. */
function failure(act: () => unknown): {
  code: string;
  path: string | undefined;
  offset: number | undefined;
  message: string;
} {
  try {
    act();
  } catch (error) {
    const { code, path, offset, message } = toShoalError(error);
    return { code, path, offset, message };
  }
  throw new Error('expected a failure, found none');
}

describe('crc32c', () => {
  test('gives the published check values', () => {
    // RFC 3720 appendix B.4, and the check value of the CRC catalogue.
    expect(native.crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(native.crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(native.crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
    expect(native.crc32c(Uint8Array.from({ length: 32 }, (_, at) => at))).toBe(0x46dd794e);
    expect(native.crc32c(Buffer.alloc(0))).toBe(0);
  });

  test('is the same by the processor, by tables and in TypeScript, for every length and alignment', (ctx) => {
    const program = nativeProgram('crc32c_check');
    if ('missing' in program) return ctx.skip(program.missing);
    expect(execFileSync(program.path, { encoding: 'utf8' })).toBe('ok\n');
    const bytes = noise(300_000, 1);
    for (const length of [1, 7, 8, 767, 768, 769, 6143, 6144, 6145, 131_072, 299_999]) {
      expect(native.crc32c(bytes.subarray(1, 1 + length), 77)).toBe(crc32c(bytes.subarray(1, 1 + length), 77));
    }
  });
});

describe('the index of a tree with every kind of entry', () => {
  const shared: Node = { kind: 'file', content: Buffer.from('shared'), nlink: 2 };
  const holes: Node = {
    kind: 'sparse',
    size: 3_000_000,
    data: new Map([
      [0, noise(100_000, 2)],
      [1_000_000, noise(200_000, 3)],
      [2_999_999, Buffer.from('!')],
    ]),
  };
  const oddName = Buffer.from([0xff, 0x0a, 0x27, 0x20, 0x2d]);
  const xattrs = [
    { name: Buffer.from('user.empty'), value: Buffer.alloc(0) },
    { name: Buffer.from('user.bytes'), value: Buffer.from([0, 1, 255]) },
  ];
  const many: Node = {
    kind: 'directory',
    mode: 0o755,
    children: Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`n${at}`, { kind: 'fifo' } as Node])),
  };
  const odd: Node = { kind: 'link', target: Buffer.from('../\xff nowhere', 'latin1'), mode: 0o777 };
  const early: Node = {
    kind: 'file',
    content: Buffer.from('x'),
    mode: 0o7000,
    uid: 1,
    gid: 2 ** 32 - 2,
    seconds: -5,
    nanoseconds: 999_999_999,
    xattrs,
  };
  const late: Node = { kind: 'file', content: Buffer.alloc(0), seconds: 2 ** 40, nanoseconds: 7 };
  const device: Node = { kind: 'character', major: 1, minor: 0xfffff };
  const again: Node = { kind: 'alias', of: shared };
  const inner: Node = {
    kind: 'directory',
    mode: 0o1777,
    children: new Map<Buffer, Node>([
      [oddName, odd],
      [Buffer.from('again'), again],
    ]),
  };
  const root: Node = {
    kind: 'directory',
    mode: 0o755,
    children: {
      inner,
      many,
      early,
      late,
      shared,
      device,
      holes,
      [`${'x'.repeat(255)}`]: { kind: 'directory', children: {} },
    },
  };
  let image: BuiltImage;
  let index: NativeIndex;
  const number = (node: Node) => image.numbers.get(node) as number;

  beforeAll(() => {
    image = buildImage(scratch, 'every', root);
    index = native.openIndex(Buffer.from(image.index));
  });

  test('counts its entries', () => {
    expect(index.entries).toBe(image.numbers.size);
  });

  test('finds each name in its directory, and no other', () => {
    expect(index.lookup(0, Buffer.from('inner'))).toBe(number(inner));
    expect(index.lookup(number(inner), oddName)).toBe(number(odd));
    expect(index.lookup(number(inner), Buffer.from('again'))).toBe(number(again));
    const all = Array.from({ length: 20_000 }, (_, at) => index.lookup(number(many), Buffer.from(`n${at}`)));
    expect(new Set(all).size).toBe(20_000);
    expect(all).not.toContain(undefined);
    for (const absent of ['', '.', '..', 'n0', 'Inner', 'inner/again', 'x'.repeat(256)]) {
      expect(index.lookup(0, Buffer.from(absent))).toBeUndefined();
    }
    expect(index.lookup(number(early), Buffer.from('inner'))).toBeUndefined();
  });

  test('tells names and paths as bytes', () => {
    expect(index.name(number(odd))).toEqual(oddName);
    expect(index.path(number(odd))).toEqual(Buffer.concat([Buffer.from('inner/'), oddName]));
    expect(index.path(0)).toEqual(Buffer.alloc(0));
    expect(index.path(index.lookup(number(many), Buffer.from('n7')) as number).toString()).toBe('many/n7');
  });

  test('tells the metadata of each kind', () => {
    expect(index.stat(number(early))).toMatchObject({
      ...{ mode: 0o107000, uid: 1, gid: 2 ** 32 - 2, nlink: 1, size: 1, seconds: -5, nanoseconds: 999_999_999 },
    });
    expect(index.stat(number(late))).toMatchObject({ size: 0, seconds: 2 ** 40, nanoseconds: 7 });
    expect(index.stat(number(inner))).toMatchObject({ mode: 0o041777, childCount: 2, firstChild: number(again) });
    expect(index.stat(number(holes))).toMatchObject({ mode: 0o100644, size: 3_000_000 });
    expect(index.stat(number(device))).toMatchObject({ mode: 0o020644, size: 0 });
    expect(index.stat(number(again))).toMatchObject({ alias: true, target: number(shared) });
    expect(index.linkTarget(number(odd))).toEqual(Buffer.from('../\xff nowhere', 'latin1'));
    expect(index.xattrs(number(early))).toEqual([xattrs[1], xattrs[0]]);
    expect(index.xattrs(number(late))).toEqual([]);
  });

  test('tells where the bytes of files lie', () => {
    expect(index.extents(number(again))).toEqual([
      { fileOffset: 0, length: 6, offset: image.offsets.get(shared), volume: 0 },
    ]);
    expect(index.extents(number(late))).toEqual([]);
    expect(index.extents(number(holes)).map(({ fileOffset, length }) => [fileOffset, length])).toEqual([
      [0, 100_000],
      [1_000_000, 200_000],
      [2_999_999, 1],
    ]);
  });

  test('refuses questions about entries that are not there', () => {
    expect(failure(() => index.stat(index.entries)).code).toBe('malformed');
    expect(failure(() => index.name(2 ** 32 - 1)).code).toBe('malformed');
    expect(failure(() => index.linkTarget(0)).code).toBe('usage');
  });

  test('is walked without an error, also with sanitizers', (ctx) => {
    const program = nativeProgram('index_walk');
    if ('missing' in program) return ctx.skip(program.missing);
    expect(execFileSync(program.path, [image.index], { encoding: 'utf8' })).toBe(`ok ${index.entries}\n`);
  });

  test('is never misread, whatever byte is damaged', (ctx) => {
    const program = nativeProgram('index_walk');
    if ('missing' in program) return ctx.skip(program.missing);
    const small = buildImage(scratch, 'small', { ...root, children: { inner, early, late, shared, device, holes } });
    const flips = (...options: string[]) =>
      Object.fromEntries(
        execFileSync(program.path, ['--flips', small.index, ...options], { encoding: 'utf8' })
          .trim()
          .split('\n')
          .map((line) => line.split(': ') as [string, string]),
      );
    const plain = flips('1', '2000');
    expect(Number(plain['checksum'])).toBeGreaterThan(1800);
    const fixed = flips('2', '4000', '--fix-checksums');
    expect(Number(fixed['malformed'])).toBeGreaterThan(100);
    const total = (results: Record<string, string>) =>
      Object.values(results).reduce((sum, times) => sum + Number(times), 0);
    expect([total(plain), total(fixed)]).toEqual([2000, 4000]);
  });
});

describe('an index that is not whole', () => {
  let image: BuiltImage;
  let intact: Buffer;
  beforeAll(() => {
    image = buildImage(scratch, 'whole', {
      kind: 'directory',
      children: { a: { kind: 'file', content: Buffer.from('a') } },
    });
    intact = readFileSync(image.index);
  });

  /** The code and the place of what is wrong with a copy of the index that `change` damaged, under a header that fits if `signed`. */
  function opened(change: (bytes: Buffer) => Buffer | undefined, signed = false): { code: string; offset?: number } {
    const copy = Buffer.from(intact);
    const bytes = change(copy) ?? copy;
    if (signed) {
      bytes.writeUInt32LE(0, 60);
      bytes.writeUInt32LE(crc32c(bytes.subarray(0, format.headerLength)), 60);
    }
    const path = join(scratch, 'broken.shoal');
    writeFileSync(path, bytes);
    try {
      native.openIndex(Buffer.from(path)).name(1);
    } catch (error) {
      const failed = toShoalError(error);
      expect(failed.path).toBe(path);
      return { code: failed.code, ...(failed.offset === undefined ? {} : { offset: failed.offset }) };
    }
    return { code: 'ok' };
  }
  const set = (offset: number, value: number) => (bytes: Buffer) => {
    bytes.writeUInt32LE(value, offset);
    return undefined;
  };

  test('is refused with the code of what is wrong first', () => {
    expect(opened(() => Buffer.alloc(0))).toMatchObject({ code: 'not-image', offset: 0 });
    expect(opened(() => Buffer.from('no index of an image'))).toMatchObject({ code: 'not-image' });
    expect(opened((bytes) => bytes.subarray(0, 4095))).toMatchObject({ code: 'truncated', offset: 4095 });
    expect(opened(set(8, 2))).toMatchObject({ code: 'version', offset: 8 });
    expect(opened(set(48, 1))).toMatchObject({ code: 'version', offset: 48 });
    expect(opened(set(100, 9))).toMatchObject({ code: 'checksum' });
    expect(opened(set(12, 4097), true)).toMatchObject({ code: 'malformed', offset: 12 });
    expect(opened(set(24, 4096), true)).toMatchObject({ code: 'malformed', offset: 24 });
    expect(opened(set(28, 127), true)).toMatchObject({ code: 'malformed', offset: 28 });
    expect(opened((bytes) => bytes.subarray(0, -1))).toMatchObject({ code: 'truncated', offset: intact.length - 1 });
    expect(opened((bytes) => Buffer.concat([bytes, Buffer.alloc(1)]))).toMatchObject({ code: 'malformed' });
    expect(opened(set(intact.length - 4, 9))).toMatchObject({ code: 'checksum', offset: intact.length - 4 });
    expect(opened(set(5000, 9))).toMatchObject({ code: 'checksum', offset: 4096 });
  });

  test('is refused where it needs a section that this reader does not know, and only then', () => {
    const lastRow = 64 + 32 * (intact.readUInt32LE(28) - 1); // metadata
    const optional = (bytes: Buffer) => {
      bytes.writeUInt32LE(99, lastRow);
      bytes.writeUInt32LE(0, lastRow + 4);
      return undefined;
    };
    expect(opened(optional, true)).toEqual({ code: 'ok' });
    const essential = (bytes: Buffer) => {
      bytes.writeUInt32LE(99, lastRow);
      bytes.writeUInt32LE(format.sectionEssential, lastRow + 4);
      return undefined;
    };
    expect(opened(essential, true)).toMatchObject({ code: 'version', offset: lastRow });
  });

  test('is refused where it is a directory or a FIFO, without waiting', () => {
    const fifo = join(scratch, 'fifo.shoal');
    execFileSync('mkfifo', [fifo]);
    expect(failure(() => native.openIndex(Buffer.from(fifo)))).toMatchObject({ code: 'not-image', path: fifo });
    expect(failure(() => native.openIndex(Buffer.from(scratch)))).toMatchObject({ code: 'not-image', path: scratch });
    expect(failure(() => native.openIndex(Buffer.from(`${fifo}x`)))).toMatchObject({ code: 'missing' });
  });
});

/** The program image_read, asked one question at a time. */
class Reader {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  constructor(program: string, index: string) {
    this.#process = spawn(program, [index]);
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
    this.#process.stderr.on('data', (bytes: Buffer) => {
      this.#errors += bytes.toString();
    });
  }

  /** `open`, or the error of opening. */
  opened(): Promise<string> {
    return this.#line();
  }

  /** Length and CRC32C of the bytes read, or the error. */
  read(entry: number, offset: number, size: number): Promise<string> {
    this.#process.stdin.write(`${entry} ${offset} ${size}\n`);
    return this.#line();
  }

  end(): void {
    this.#process.stdin.end();
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`image_read ended: ${this.#errors}`);
    return value;
  }
}

describe('content', () => {
  const small: Node = { kind: 'file', content: noise(5000, 4) };
  const exact: Node = { kind: 'file', content: noise(chunk, 5) };
  const large: Node = { kind: 'file', content: noise(10 * chunk + 777, 6) };
  const empty: Node = { kind: 'file', content: Buffer.alloc(0) };
  const sparse = {
    kind: 'sparse',
    size: 1_000_000,
    data: new Map([
      [4096, noise(100_000, 7)],
      [104_096, noise(50_000, 8)],
      [900_000, noise(70_000, 9)],
    ]),
  } as const satisfies Node;
  const hole: Node = { kind: 'sparse', size: 2 ** 33, data: new Map() };
  const root: Node = { kind: 'directory', children: { small, exact, large, empty, sparse, hole } };
  const sparseContent = Buffer.alloc(sparse.size);
  for (const [offset, bytes] of sparse.data) bytes.copy(sparseContent, offset);

  const answer = (bytes: Buffer) => `${bytes.length} ${native.crc32c(bytes)}`;
  const contentOf = (node: Node) => (node.kind === 'file' ? node.content : sparseContent);
  const number = (image: BuiltImage, node: Node) => image.numbers.get(node) as number;

  /** Runs `act` with the image's reader, and waits until it has ended. */
  async function reading(
    ctx: { skip: (reason: string) => never },
    index: string,
    act: (reader: Reader) => Promise<void>,
  ) {
    const program = nativeProgram('image_read');
    if ('missing' in program) return ctx.skip(program.missing);
    const reader = new Reader(program.path, index);
    try {
      await act(reader);
    } finally {
      reader.end();
    }
  }

  test.for([true, false])('is exact from any offset for any size (checksums: %s)', (checksums, ctx) => {
    const image = buildImage(scratch, `content-${checksums}`, root, { checksums });
    return reading(ctx, image.index, async (reader) => {
      expect(await reader.opened()).toBe('open');
      const offsets = [
        0,
        1,
        4095,
        4096,
        104_095,
        104_096,
        150_000,
        chunk - 1,
        chunk,
        chunk + 1,
        3 * chunk,
        899_999,
        969_999,
      ];
      const sizes = [1, 4096, chunk - 1, chunk, chunk + 1, 2 * chunk, 900_000, 2_000_000];
      for (const node of [small, exact, large, empty, sparse]) {
        const content = contentOf(node);
        for (const offset of [...offsets, content.length - 1, content.length, content.length + 1]) {
          if (offset < 0) continue;
          for (const size of sizes) {
            const expected = answer(content.subarray(offset, offset + size));
            expect(await reader.read(number(image, node), offset, size)).toBe(expected);
          }
        }
      }
      expect(await reader.read(number(image, hole), 2 ** 33 - 10, 100)).toBe(answer(Buffer.alloc(10)));
      expect(await reader.read(0, 0, 1)).toMatch(/^usage /);
    });
  });

  test('that is damaged is an error with its name and place, beside which all else is read', (ctx) => {
    const image = buildImage(scratch, 'damaged', root);
    const volume = readFileSync(image.volume);
    const at = (image.offsets.get(large) as number) + 3 * chunk;
    volume[at + 5] = (volume[at + 5] as number) ^ 1;
    writeFileSync(image.volume, volume);
    return reading(ctx, image.index, async (reader) => {
      expect(await reader.opened()).toBe('open');
      const damaged = number(image, large);
      const content = contentOf(large);
      for (const [offset, size] of [
        [3 * chunk, chunk],
        [3 * chunk + 100, 1],
        [0, 2 ** 21],
      ] as const) {
        const line = await reader.read(damaged, offset, size);
        expect(line).toContain(`checksum ${at} ${image.volume}: reading large: `);
      }
      expect(await reader.read(damaged, 0, 3 * chunk)).toBe(answer(content.subarray(0, 3 * chunk)));
      expect(await reader.read(damaged, 4 * chunk, chunk)).toBe(answer(content.subarray(4 * chunk, 5 * chunk)));
      expect(await reader.read(number(image, small), 0, 5000)).toBe(answer(contentOf(small)));
    });
  });

  test('of a volume that was cut short after opening is an error', (ctx) => {
    const image = buildImage(scratch, 'shrinking', root);
    return reading(ctx, image.index, async (reader) => {
      expect(await reader.opened()).toBe('open');
      const cut = (image.offsets.get(large) as number) + chunk;
      truncateSync(image.volume, cut);
      expect(await reader.read(number(image, large), 0, chunk)).toBe(answer(contentOf(large).subarray(0, chunk)));
      expect(await reader.read(number(image, large), chunk, chunk)).toContain(
        `truncated ${cut} ${image.volume}: reading large`,
      );
    });
  });

  test('outlives an index that is cut short after opening, and comes back with it', (ctx) => {
    const image = buildImage(scratch, 'torn', root);
    const index = readFileSync(image.index);
    const whole = answer(contentOf(small));
    return reading(ctx, image.index, async (reader) => {
      expect(await reader.opened()).toBe('open');
      expect(await reader.read(number(image, small), 0, 5000)).toBe(whole);
      truncateSync(image.index, 4096);
      expect(await reader.read(number(image, small), 0, 5000)).toContain(
        `truncated 4096 ${image.index}: length of the index`,
      );
      expect(await reader.read(number(image, large), 0, 1)).toContain('truncated 4096');
      writeFileSync(image.index, index, { flag: 'r+' });
      expect(await reader.read(number(image, small), 0, 5000)).toBe(whole);
    });
  });

  test('behind an unknown codec is refused', (ctx) => {
    const image = buildImage(scratch, 'codec', root, { codec: 9 });
    return reading(ctx, image.index, async (reader) => {
      expect(await reader.opened()).toBe('open');
      expect(await reader.read(number(image, small), 0, 1)).toContain('unsupported -1');
    });
  });

  test('is read only from the volume that the index describes', async (ctx) => {
    const image = buildImage(scratch, 'own', root);
    const volume = readFileSync(image.volume);
    const openedWith = async (change: () => void): Promise<string> => {
      rmSync(image.volume, { recursive: true, force: true });
      change();
      let line = '';
      await reading(ctx, image.index, async (reader) => {
        line = await reader.opened();
      });
      return line;
    };
    const write = (bytes: Buffer) => () => writeFileSync(image.volume, bytes);
    const changed = (offset: number) => {
      const copy = Buffer.from(volume);
      copy[offset] = 0;
      return copy;
    };
    expect(await openedWith(write(volume))).toBe('open');
    expect(await openedWith(() => {})).toMatch(/^missing -1 .*own\.tar: expected the volume of .*own\.shoal here/);
    expect(await openedWith(write(volume.subarray(1)))).toMatch(/^truncated /);
    expect(await openedWith(write(Buffer.concat([volume, volume])))).toMatch(/^wrong-volume /);
    expect(await openedWith(write(changed(0)))).toMatch(/^wrong-volume 0 /);
    expect(await openedWith(write(changed(volume.length - 1)))).toMatch(/^wrong-volume /);
    expect(await openedWith(() => mkdirSync(image.volume))).toMatch(/^wrong-volume /);
    expect(await openedWith(() => execFileSync('mkfifo', [image.volume]))).toMatch(/^wrong-volume /);
  });

  test('is found where a volume has a path, from the index and not from the working directory', (ctx) => {
    const image = buildImage(scratch, 'elsewhere', root, { volumeName: 'below/data.tar' });
    mkdirSync(join(scratch, 'below'));
    copyFileSync(image.volume, join(scratch, 'below', 'data.tar'));
    rmSync(image.volume);
    return reading(ctx, image.index, async (reader) => {
      expect(await reader.opened()).toBe('open');
    });
  });
});
