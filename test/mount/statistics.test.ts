import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { mountStatistics } from '../../src/mount/statistics.ts';
import { type RequestKind, requestKinds } from '../../src/native/statistics.ts';
import { nativeBuildTimeout, nativeProgram } from '../support/native-programs.ts';
import { flipByte, placeOf } from './flip-byte.ts';
import { run, scene } from './scene.ts';

const directFlag = 0o40000;
const names = Array.from({ length: 40 }, (_, number) => `n${number}`);

/** What a mount counted while `work` ran, by kind; kinds without requests are left out. */
async function counted(directory: string, work: () => void) {
  const before = await mountStatistics(directory);
  work();
  const after = await mountStatistics(directory);
  const counts = requestKinds
    .map((kind): [RequestKind, number] => [kind, after.requests[kind].count - before.requests[kind].count])
    .filter(([, count]) => count !== 0);
  return { requests: Object.fromEntries(counts), served: after.servedBytes - before.servedBytes, before, after };
}

test('each read that goes around the page cache is one request, and its bytes are counted', async (ctx) => {
  const { source, directory, pack, mount } = scene(ctx);
  const length = 300_000;
  writeFileSync(join(source, 'file'), Buffer.alloc(length, 'content '));
  await pack();
  await mount();
  const file = openSync(join(directory, 'file'), directFlag);
  // The kernel asks once whether files are opened at all.
  readSync(file, Buffer.alloc(1), 0, 1, 0);
  const { requests, served, before, after } = await counted(directory, () => {
    for (let number = 0; number < 50; number++) readSync(file, Buffer.alloc(4096), 0, 4096, number * 5000);
    expect(readSync(file, Buffer.alloc(4096), 0, 4096, length - 100)).toBe(100);
  });
  closeSync(file);
  expect(requests).toEqual({ read: 51 });
  expect(served).toBe(50 * 4096 + 100);
  // Whole chunks are read for their checksums.
  expect(after.storageReads - before.storageReads).toBeGreaterThanOrEqual(51);
  expect(after.storageBytes - before.storageBytes).toBeGreaterThanOrEqual(served);
});

test('each name is looked up once, be it there or not', async (ctx) => {
  const { source, directory, pack, mount } = scene(ctx);
  mkdirSync(join(source, 'below'));
  for (const name of names) writeFileSync(join(source, 'below', name), name);
  await pack();
  await mount();
  statSync(join(directory, 'below'));
  const look = () => {
    for (const name of names) {
      expect(statSync(join(directory, 'below', name)).size).toBe(name.length);
      expect(statSync(join(directory, 'below', `no-${name}`), { throwIfNoEntry: false })).toBeUndefined();
    }
  };
  expect((await counted(directory, look)).requests).toEqual({ lookup: 2 * names.length });
  expect((await counted(directory, look)).requests).toEqual({});
});

test('links, the filesystem, attributes and holes are counted apart', async (ctx) => {
  const { source, directory, pack, mount } = scene(ctx);
  for (const name of names) symlinkSync(`to ${name}`, join(source, name));
  writeFileSync(join(source, 'file'), Buffer.alloc(10_000, 'x'));
  try {
    run('python3', ['-c', "import os, sys; os.setxattr(sys.argv[1], 'user.colour', b'blue')", join(source, 'file')]);
  } catch {
    ctx.skip('this filesystem stores no extended attributes');
  }
  await pack();
  await mount();
  const file = join(directory, 'file');
  const python = `
import os, sys
file = os.open(sys.argv[1], os.O_RDONLY)
for i in range(7): os.getxattr(file, 'user.colour')
for i in range(8): os.listxattr(file)
for i in range(9): os.lseek(file, i, os.SEEK_HOLE)`;
  run('python3', ['-c', 'import os, sys; os.open(sys.argv[1], os.O_RDONLY)', file]);
  const { requests } = await counted(directory, () => {
    for (const name of names) expect(readlinkSync(join(directory, name))).toBe(`to ${name}`);
    for (let number = 0; number < 5; number++) statfsSync(directory);
    run('python3', ['-c', python, file]);
  });
  expect(requests).toEqual({ readlink: names.length, statfs: 5, getxattr: 7, listxattr: 8, lseek: 9 });
});

test('reads of damaged content are errors, and names that are missing are none', async (ctx) => {
  const { source, image, volume, directory, pack, mount } = scene(ctx);
  writeFileSync(join(source, 'damaged'), 'content '.repeat(100));
  await pack();
  await mount({ negativeTimeout: 0 });
  flipByte(volume, placeOf(image, 'damaged'));
  const { requests, served, before, after } = await counted(directory, () => {
    const file = openSync(join(directory, 'damaged'), directFlag);
    for (let number = 0; number < 3; number++)
      expect(() => readSync(file, Buffer.alloc(512), 0, 512, 0)).toThrow('EIO');
    closeSync(file);
    expect(() => readFileSync(join(directory, 'missing'))).toThrow('ENOENT');
  });
  expect(requests).toMatchObject({ read: 3, lookup: 1 });
  expect(after.requests.read.errors - before.requests.read.errors).toBe(3);
  expect(after.requests.lookup.errors).toBe(0);
  expect(after.checksumFailures - before.checksumFailures).toBe(3);
  expect(served).toBe(0);
});

test('what was agreed with the kernel follows the options', async (ctx) => {
  const { source, directory, pack, mount } = scene(ctx);
  writeFileSync(join(source, 'file'), 'x');
  await pack();
  await (await mount()).unmount();
  const { pid } = await mount({ readdirplus: false, skipOpen: false, maxRead: 131_072, threads: 3 });
  const statistics = await mountStatistics(directory);
  expect(statistics).toMatchObject({ pid, threads: 3 });
  expect(statistics.protocol.maxRead).toBe(131_072);
  expect(statistics.protocol.features).toContain('async_read');
  expect(statistics.protocol.features).not.toContain('do_readdirplus');
  expect(statistics.protocol.features).not.toContain('no_open_support');
  expect(statistics.requests.readdir.count).toBeGreaterThan(0);
  expect(statistics.requests.readdirplus.count).toBe(0);
  expect(Object.keys(statistics.requests)).toEqual(requestKinds);
});

test('times add up: none is counted twice, and percentiles rise', async (ctx) => {
  const { source, directory, pack, mount } = scene(ctx);
  for (const name of names) writeFileSync(join(source, name), Buffer.alloc(10_000, name));
  await pack();
  await mount();
  for (const name of names) readFileSync(join(directory, name));
  const { requests, bounds, uptime } = await mountStatistics(directory);
  for (const { count, total, p50, p90, p99, p999, longest, upTo } of Object.values(requests)) {
    const rising = [0, p50, p90, p99, p999, longest, total];
    expect(rising).toEqual([...rising].sort((a, b) => a - b));
    expect(total).toBeLessThanOrEqual(Math.min(uptime, longest * count));
    expect(upTo).toHaveLength(bounds.length);
    expect(upTo).toEqual([...upTo].sort((a, b) => a - b));
    expect(upTo.at(-1)).toBe(count);
  }
  expect(requests.read.count).toBe(names.length);
});

let histogram: ReturnType<typeof nativeProgram>;
beforeAll(() => {
  histogram = nativeProgram('latency_histogram_check');
}, nativeBuildTimeout);

test.for([1, 2, 3, 4])(
  'counts, bounds and percentiles are those of the sorted times, whatever they are (seed %i)',
  (seed, ctx) => {
    if ('missing' in histogram) return ctx.skip(histogram.missing);
    expect(execFileSync(histogram.path, [String(seed)], { encoding: 'utf8' })).toMatch(/^\d+ times agree\n$/);
  },
);
