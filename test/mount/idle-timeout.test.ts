import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, type TestContext, test, vi } from 'vitest';
import { IdleWatch } from '../../src/mount/idle-watch.ts';
import { mountImage } from '../../src/mount/mount-image.ts';
import { isRunning, mountsBelow, type Scene, scene, until } from './scene.ts';

async function helloScene(ctx: TestContext): Promise<Scene> {
  const made = scene(ctx);
  writeFileSync(join(made.source, 'hello'), 'hello, world\n');
  await made.pack();
  return made;
}

test('with timeout a mount that nobody uses goes away with its server', async (ctx) => {
  const { root, mount } = await helloScene(ctx);
  const { pid } = await mount({ timeout: 0.2 });
  await until(() => mountsBelow(root).length === 0);
  await until(() => !isRunning(pid));
});

test('with timeout a mount stays while somebody has a file open, and goes when it is closed', async (ctx) => {
  const { root, image, directory, mount } = await helloScene(ctx);
  const { pid } = await mount({ timeout: 0.2 });
  const descriptor = openSync(join(directory, 'hello'), 'r');
  // While one that is not used comes and goes, this one is left as it is, time and again.
  const other = join(root, 'other');
  mkdirSync(other);
  for (let round = 0; round < 2; round++) {
    await mountImage(image, other, { timeout: 0.2 });
    await until(() => !mountsBelow(root).includes(other));
  }
  expect(mountsBelow(root)).toEqual([directory]);
  expect(readFileSync(descriptor, 'utf8')).toBe('hello, world\n');
  closeSync(descriptor);
  await until(() => !isRunning(pid));
  expect(mountsBelow(root)).toEqual([]);
});

test('with timeout a mount stays while somebody opens files, although all of them are in the page cache', async (ctx) => {
  const { root, image, directory, mount } = await helloScene(ctx);
  const timeout = 2;
  await mount({ timeout });
  const read: string[] = [];
  const reading = setInterval(() => read.push(readFileSync(join(directory, 'hello'), 'utf8')), 10);
  onTestFinished(() => clearInterval(reading));
  const other = join(root, 'other');
  mkdirSync(other);
  await mountImage(image, other, { timeout });
  await until(() => !mountsBelow(root).includes(other));
  expect(mountsBelow(root)).toEqual([directory]);
  expect(new Set(read)).toEqual(new Set(['hello, world\n']));
});

test('timeout=0 is no timeout', async (ctx) => {
  const { root, directory, mount } = await helloScene(ctx);
  await mount({ timeout: 0 });
  expect(mountsBelow(root)).toEqual([directory]);
});

test('the watch unmounts after a whole timeout without a request or a caller, and tries again where it could not', async () => {
  vi.useFakeTimers();
  let requests = 1;
  const unmount = vi.fn(async () => false);
  const watch = new IdleWatch(4, () => requests, unmount);
  await vi.advanceTimersByTimeAsync(3000);
  requests++;
  await vi.advanceTimersByTimeAsync(4000);
  expect(unmount).toHaveBeenCalledTimes(0);
  watch.touch();
  await vi.advanceTimersByTimeAsync(3000);
  expect(unmount).toHaveBeenCalledTimes(0);
  await vi.advanceTimersByTimeAsync(1000);
  expect(unmount).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(4000);
  expect(unmount).toHaveBeenCalledTimes(2);
  unmount.mockResolvedValue(true);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(unmount).toHaveBeenCalledTimes(3);
  vi.useRealTimers();
});
