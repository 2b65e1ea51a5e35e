import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { indexArchive } from '../../src/indexers/index-archive.ts';
import { type MountStatistics, mountStatistics } from '../../src/mount/statistics.ts';
import { compareTrees } from '../compare-trees.ts';
import { flipByte, placeOf } from './flip-byte.ts';
import { isRunning, run, type Scene, scene, until } from './scene.ts';

/** What the kernel is told with -o, and how the requests that it sends then differ. */

const times = 5;
const again = (work: () => void) => {
  for (let time = 0; time < times; time++) work();
};

async function techniqueScene(ctx: TestContext): Promise<Scene> {
  const made = scene(ctx);
  mkdirSync(join(made.source, 'below'));
  for (let number = 0; number < 20; number++) {
    writeFileSync(join(made.source, 'below', `${number}`), `content ${number}`);
  }
  symlinkSync('below/1', join(made.source, 'link'));
  writeFileSync(join(made.source, 'large'), Buffer.alloc(4 << 20, 'some content that is long enough to fill pages. '));
  await made.pack();
  return made;
}

/** What the mount has done for `work`, and what it has open then. */
async function doneFor(
  { directory, mount }: Scene,
  options: Parameters<Scene['mount']>[0],
  work: (directory: string) => void,
): Promise<MountStatistics> {
  const mounted = await mount(options);
  try {
    work(directory);
    return await mountStatistics(directory);
  } finally {
    await mounted.unmount();
  }
}

test('skip_open: files are opened without a request', async (ctx) => {
  const made = await techniqueScene(ctx);
  const work = (directory: string) => again(() => readFileSync(join(directory, 'below/1')));
  const opens = async (skipOpen: boolean) => (await doneFor(made, { skipOpen }, work)).requests.open.count;
  // One to learn that it need not ask, and one of the same for directories.
  expect(await opens(true)).toBeLessThanOrEqual(2);
  expect(await opens(false)).toBeGreaterThanOrEqual(times);
});

test('skip_opendir: directories are opened without a request', async (ctx) => {
  const made = await techniqueScene(ctx);
  const work = (directory: string) => again(() => readdirSync(join(directory, 'below')));
  const opens = async (skipOpendir: boolean) => (await doneFor(made, { skipOpendir }, work)).requests.open.count;
  expect(await opens(true)).toBeLessThanOrEqual(2);
  expect(await opens(false)).toBeGreaterThanOrEqual(times);
});

test('readdirplus: a listing brings the attributes of its entries', async (ctx) => {
  const made = await techniqueScene(ctx);
  const work = (directory: string) => {
    for (const name of readdirSync(join(directory, 'below'))) lstatSync(join(directory, 'below', name));
  };
  const { requests: plus } = await doneFor(made, { readdirplus: true }, work);
  expect(plus.readdir.count).toBe(0);
  expect(plus.lookup.count).toBeLessThan(20);
  const { requests: plain } = await doneFor(made, { readdirplus: false }, work);
  expect(plain.readdirplus.count).toBe(0);
  expect(plain.lookup.count).toBeGreaterThanOrEqual(20);
});

test('timeouts: names, attributes and what is missing are asked for once, or each time', async (ctx) => {
  const made = await techniqueScene(ctx);
  const byName = (directory: string) => again(() => lstatSync(join(directory, 'below/1')));
  const open = (directory: string) => {
    const descriptor = openSync(join(directory, 'below/1'), 'r');
    again(() => fstatSync(descriptor));
    closeSync(descriptor);
  };
  const missing = (directory: string) => again(() => statSync(join(directory, 'none'), { throwIfNoEntry: false }));
  const count = async (kind: 'lookup' | 'getattr', options: object, work: (directory: string) => void) =>
    (await doneFor(made, options, work)).requests[kind].count;
  expect(await count('lookup', { entryTimeout: 0 }, byName)).toBeGreaterThanOrEqual(times);
  expect(await count('lookup', {}, byName)).toBeLessThan(times);
  expect(await count('getattr', { attrTimeout: 0 }, open)).toBeGreaterThanOrEqual(times);
  expect(await count('getattr', {}, open)).toBeLessThan(times);
  expect(await count('lookup', { negativeTimeout: 0 }, missing)).toBeGreaterThanOrEqual(times);
  expect(await count('lookup', {}, missing)).toBeLessThan(times);
});

test('cache_symlinks: the target of a link is asked for once', async (ctx) => {
  const made = await techniqueScene(ctx);
  const work = (directory: string) => again(() => readlinkSync(join(directory, 'link')));
  expect((await doneFor(made, {}, work)).requests.readlink.count).toBe(1);
  expect((await doneFor(made, { cacheSymlinks: false }, work)).requests.readlink.count).toBe(times);
});

test('max_read: a read of a mebibyte is one request, or as many as are allowed', async (ctx) => {
  const made = await techniqueScene(ctx);
  const work = (directory: string) => {
    const descriptor = openSync(join(directory, 'large'), 0o40000); // O_DIRECT, so that nobody reads ahead
    expect(readSync(descriptor, Buffer.alloc(1 << 20), 0, 1 << 20, 0)).toBe(1 << 20);
    closeSync(descriptor);
  };
  const reads = async (options: object) => (await doneFor(made, options, work)).requests.read.count;
  // A buffer that does not begin with a page takes a page more than it is long.
  expect(await reads({})).toBeLessThanOrEqual(2);
  expect(await reads({ maxRead: 64 << 10 })).toBeGreaterThanOrEqual(16);
});

test('readahead: a mount of root reads a mebibyte ahead', async (ctx) => {
  if (process.getuid?.() !== 0) ctx.skip('needs root, whom alone the kernel lets raise it');
  const { directory, mount } = await techniqueScene(ctx);
  const kilobytes = () => {
    const device = statSync(directory).dev;
    return Number(readFileSync(`/sys/class/bdi/${device >> 8}:${device & 255}/read_ahead_kb`, 'utf8'));
  };
  const raised = await mount();
  expect(kilobytes()).toBe(1024);
  await raised.unmount();
  await mount({ readahead: 0 });
  expect(kilobytes()).toBeLessThan(1024);
});

test('clone_fd, polling, threads: each thread has descriptors of its own, one to wait at and one to poll', async (ctx) => {
  const { directory, mount } = await techniqueScene(ctx);
  const open = async (options: object) => {
    const mounted = await mount({ threads: 3, ...options });
    try {
      expect((await mountStatistics(directory)).threads).toBe(3);
      const links = readdirSync(`/proc/${mounted.pid}/fd`).flatMap((fd) => {
        try {
          return readlinkSync(`/proc/${mounted.pid}/fd/${fd}`);
        } catch {
          return []; // A line to somebody who asked, closed meanwhile.
        }
      });
      return links.filter((link) => link === '/dev/fuse').length;
    } finally {
      await mounted.unmount();
    }
  };
  expect(await open({})).toBe(1 + 3 + 3);
  expect(await open({ polling: false })).toBe(1 + 3);
  expect(await open({ cloneFd: false })).toBe(1 + 3);
  expect(await open({ cloneFd: false, polling: false })).toBe(1);
});

test('parallel_dirops is agreed on, or not', async (ctx) => {
  const made = await techniqueScene(ctx);
  const features = async (parallelDirops: boolean) =>
    (await doneFor(made, { parallelDirops }, () => {})).protocol.features;
  expect(await features(true)).toContain('parallel_dirops');
  expect(await features(false)).not.toContain('parallel_dirops');
});

test('verify: damage is an error, or goes unseen', async (ctx) => {
  const made = await techniqueScene(ctx);
  flipByte(made.volume, placeOf(made.image, 'large') + 100_000);
  const checked = await doneFor(made, {}, (directory) =>
    expect(() => readFileSync(join(directory, 'large'))).toThrow('EIO'),
  );
  expect(checked.checksumFailures).toBeGreaterThanOrEqual(1);
  const unchecked = await doneFor(made, { verify: false }, (directory) =>
    expect(readFileSync(join(directory, 'large')).length).toBe(4 << 20),
  );
  expect(unchecked.checksumFailures).toBe(0);
});

test('splice: content without checksums is the same with it and without, and damage is told', async (ctx) => {
  const { root, source, directory } = await techniqueScene(ctx);
  const { mountImage } = await import('../../src/mount/mount-image.ts');
  const archive = join(root, 'foreign.tar');
  run('tar', ['--format=posix', '-cf', archive, '-C', source, '.']);
  await indexArchive(archive, { output: join(root, 'foreign.shoal') });
  for (const splice of [true, false]) {
    const mounted = await mountImage(join(root, 'foreign.shoal'), directory, { splice });
    expect(await compareTrees(source, directory)).toEqual([]);
    const { storageBytes, servedBytes } = await mountStatistics(directory);
    expect(storageBytes).toBeGreaterThanOrEqual(servedBytes);
    await mounted.unmount();
  }
  await mountImage(join(root, 'foreign.shoal'), directory, { splice: true });
  truncateSync(archive, 1 << 20);
  expect(() => readFileSync(join(directory, 'large'))).toThrow('EIO');
  expect(readFileSync(join(directory, 'below/1'), 'utf8')).toBe('content 1');
});

const switchOfKernel = '/sys/module/fuse/parameters/enable_uring';

/** Lets the kernel offer FUSE over io_uring for the time of a test. */
function enableUring(ctx: TestContext): void {
  let before = '';
  try {
    before = readFileSync(switchOfKernel, 'utf8').trim();
    writeFileSync(switchOfKernel, 'Y');
  } catch {
    ctx.skip('needs root and Linux 6.14, to let the kernel offer FUSE over io_uring');
  }
  onTestFinished(() => writeFileSync(switchOfKernel, before));
}

test('uring: over io_uring the tree is the same for many readers at once, and the server ends with the mount', async (ctx) => {
  enableUring(ctx);
  const { source, directory, mount } = await techniqueScene(ctx);
  const mounted = await mount({ uring: true });
  const { protocol } = await mountStatistics(directory);
  if (!protocol.features.includes('over_io_uring')) ctx.skip('io_uring is forbidden here');
  expect(await compareTrees(source, directory)).toEqual([]);
  const sums = 'find . -type f -print0 | sort -z | xargs -0 cksum';
  const expected = execFileSync('sh', ['-c', sums], { cwd: source, encoding: 'utf8' });
  const eight = `cd '${directory}'; for i in 1 2 3 4 5 6 7 8; do (${sums}) >"$0/$i" & done; wait; cat "$0"/*`;
  const results = join(source, '..', 'results');
  mkdirSync(results);
  expect(run('sh', ['-c', eight, results])).toBe(expected.repeat(8));
  const { requests } = await mountStatistics(directory);
  expect(requests.read.count).toBeGreaterThan(0);
  await mounted.unmount();
  await until(() => !isRunning(mounted.pid));
});

test('uring: SIGTERM ends the server also while a program has a file open', async (ctx) => {
  enableUring(ctx);
  const { directory, mount } = await techniqueScene(ctx);
  const { pid } = await mount({ uring: true });
  const descriptor = openSync(join(directory, 'large'), 'r');
  process.kill(pid, 'SIGTERM');
  await until(() => !isRunning(pid));
  expect(() => closeSync(descriptor)).toThrow(/ENOTCONN|ECONNABORTED/);
});

test('without uring=yes, or with a kernel that does not offer it, requests come over the device', async (ctx) => {
  enableUring(ctx);
  const made = await techniqueScene(ctx);
  expect((await doneFor(made, {}, () => {})).protocol.features).not.toContain('over_io_uring');
  writeFileSync(switchOfKernel, 'N');
  expect((await doneFor(made, { uring: true }, () => {})).protocol.features).not.toContain('over_io_uring');
});
