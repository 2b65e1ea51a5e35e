import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildImage, type Node } from '../support/build-image.ts';
import { flipByte, placeOf } from './flip-byte.ts';
import { isRunning, scene } from './scene.ts';

test('a damaged file gives EIO, its neighbours their bytes, and the log one line with its name', async (ctx) => {
  const { root, source, image, volume, directory, pack, mount } = scene(ctx);
  for (const name of ['before', 'damaged', 'later']) writeFileSync(join(source, name), `${name} `.repeat(1000));
  await pack();
  const log = join(root, 'log');
  await mount({ log });
  flipByte(volume, placeOf(image, 'damaged') + 1234);
  expect(() => readFileSync(join(directory, 'damaged'))).toThrow('EIO');
  expect(() => readFileSync(join(directory, 'damaged'))).toThrow('EIO');
  expect(readFileSync(join(directory, 'before'), 'utf8')).toBe('before '.repeat(1000));
  expect(readFileSync(join(directory, 'later'), 'utf8')).toBe('later '.repeat(1000));
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('damaged');
  expect(lines[0]).toContain(volume);
});

test('the log is one line for each entry, whatever its name', async (ctx) => {
  const { root, source, image, volume, directory, pack, mount } = scene(ctx);
  const name = 'x\n\u001b[31mshoal: all is well\u001b[0m \u00e9';
  writeFileSync(join(source, name), 'content');
  writeFileSync(join(source, 'z'), 'z'.repeat(9000));
  await pack();
  const log = join(root, 'log');
  await mount({ log });
  flipByte(volume, placeOf(image, name) + 3);
  expect(() => readFileSync(join(directory, name))).toThrow('EIO');
  expect(readFileSync(log, 'utf8')).toMatch(/^shoal: reading x\\n\\x1B\[31mshoal: all is well\\x1B\[0m é: [^\n]*\n$/);
});

test('of a large file only the damaged chunk gives EIO', async (ctx) => {
  const { source, image, volume, directory, pack, mount } = scene(ctx);
  const content = Buffer.alloc(1 << 20, 'many chunks ');
  writeFileSync(join(source, 'large'), content);
  await pack();
  await mount();
  flipByte(volume, placeOf(image, 'large') + 5 * 131_072 + 77);
  const descriptor = openSync(join(directory, 'large'), 'r');
  const chunk = Buffer.alloc(131_072);
  for (const number of [0, 1, 2, 3, 4, 6, 7]) {
    readSync(descriptor, chunk, 0, chunk.length, number * chunk.length);
    expect(chunk.equals(content.subarray(number * chunk.length, (number + 1) * chunk.length))).toBe(true);
  }
  expect(() => readSync(descriptor, chunk, 0, chunk.length, 5 * chunk.length)).toThrow('EIO');
  closeSync(descriptor);
});

test('a volume truncated under its mount gives EIO where bytes are missing, and the rest goes on', async (ctx) => {
  const { source, image, volume, directory, pack, mount } = scene(ctx);
  for (const name of ['a', 'b']) writeFileSync(join(source, name), name.repeat(100_000));
  await pack();
  await mount();
  truncateSync(volume, placeOf(image, 'b') + 10);
  expect(() => readFileSync(join(directory, 'b'))).toThrow('EIO');
  expect(readFileSync(join(directory, 'a'), 'utf8')).toBe('a'.repeat(100_000));
});

test('an index truncated under its mount gives EIO, and the server stays', async (ctx) => {
  const { source, image, directory, pack, mount } = scene(ctx);
  for (let number = 0; number < 5000; number++) writeFileSync(join(source, `${number}`), 'some content');
  await pack();
  const mounted = await mount();
  truncateSync(image, 8192);
  expect(() => readFileSync(join(directory, '999'))).toThrow('EIO');
  expect(() => readFileSync(join(directory, '998'))).toThrow('EIO');
  expect(isRunning(mounted.pid)).toBe(true);
});

const names = Array.from({ length: 10_000 }, (_, number) => `${number} ${'long name '.repeat(10)}`.trimEnd());
/** The root is listed before anybody is told that the mount is ready; what lies below it, nobody has touched then. */
const wideTree: Node = {
  kind: 'directory',
  mode: 0o755,
  children: {
    below: {
      kind: 'directory',
      mode: 0o755,
      children: Object.fromEntries(names.map((name) => [name, { kind: 'file', content: Buffer.from(name) }])),
    },
  },
};

test('an index and a volume that are removed under their mount serve it to its end', async (ctx) => {
  const { root, image, volume, directory, mount } = scene(ctx);
  buildImage(root, 'image', wideTree);
  await mount();
  rmSync(image);
  rmSync(volume);
  expect(readdirSync(join(directory, 'below'))).toHaveLength(names.length);
  const name = names[4321] as string;
  expect(readFileSync(join(directory, 'below', name), 'utf8')).toBe(name);
});

test('of an index overwritten under its mount, what nobody touched is right or EIO, and the log says where', async (ctx) => {
  const { root, image, directory, mount } = scene(ctx);
  buildImage(root, 'image', wideTree);
  const log = join(root, 'log');
  const mounted = await mount({ log });
  const { size } = statSync(image);
  const descriptor = openSync(image, 'r+');
  // Names, which are most of the index.
  writeSync(descriptor, Buffer.alloc(size / 4, 'other bytes '), 0, size / 4, size / 2);
  closeSync(descriptor);
  let errors = 0;
  for (const name of names) {
    try {
      expect(lstatSync(join(directory, 'below', name)).size).toBe(name.length);
    } catch (error) {
      expect(error).toMatchObject({ code: 'EIO' });
      errors++;
    }
  }
  expect(errors).toBeGreaterThan(0);
  expect(isRunning(mounted.pid)).toBe(true);
  expect(readFileSync(log, 'utf8')).toContain('CRC32C of block');
});
