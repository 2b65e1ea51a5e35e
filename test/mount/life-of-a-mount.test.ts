import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { mountImage } from '../../src/mount/mount-image.ts';
import { unmountImage } from '../../src/mount/unmount-image.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { isRunning, mountsBelow, type Scene, scene, until } from './scene.ts';

async function helloScene(ctx: TestContext): Promise<Scene> {
  const made = scene(ctx);
  writeFileSync(join(made.source, 'hello'), 'hello, world\n');
  await made.pack();
  return made;
}

test('a mount is ready when mountImage returns, and gone with its server when unmountImage returns', async (ctx) => {
  const { root, directory, mount } = await helloScene(ctx);
  const mounted = await mount();
  expect(mounted.already).toBe(false);
  expect(readFileSync(join(directory, 'hello'), 'utf8')).toBe('hello, world\n');
  await unmountImage(directory);
  expect(mountsBelow(root)).toEqual([]);
  expect(isRunning(mounted.pid)).toBe(false);
});

test.for(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s to the server unmounts and ends it', async (signal, ctx) => {
  const { root, mount } = await helloScene(ctx);
  const mounted = await mount();
  process.kill(mounted.pid as number, signal);
  await until(() => !isRunning(mounted.pid));
  expect(mountsBelow(root)).toEqual([]);
});

test('SIGTERM ends the server also while a program has a file open', async (ctx) => {
  const { root, directory, mount } = await helloScene(ctx);
  const mounted = await mount();
  const descriptor = openSync(join(directory, 'hello'), 'r');
  process.kill(mounted.pid as number, 'SIGTERM');
  await until(() => mountsBelow(root).length === 0);
  await until(() => !isRunning(mounted.pid));
  expect(() => closeSync(descriptor)).toThrow('ENOTCONN');
});

test('what a killed server leaves is repaired by the next mount', async (ctx) => {
  const { root, directory, mount } = await helloScene(ctx);
  const killed = await mount();
  process.kill(killed.pid as number, 'SIGKILL');
  await until(() => !isRunning(killed.pid));
  expect(mountsBelow(root)).toEqual([directory]);
  const repaired = await mount();
  expect(repaired.already).toBe(false);
  expect(mountsBelow(root)).toEqual([directory]);
  expect(readFileSync(join(directory, 'hello'), 'utf8')).toBe('hello, world\n');
});

test('what a killed server leaves can be unmounted', async (ctx) => {
  const { root, directory, mount } = await helloScene(ctx);
  const killed = await mount();
  process.kill(killed.pid as number, 'SIGKILL');
  await until(() => !isRunning(killed.pid));
  await unmountImage(directory);
  expect(mountsBelow(root)).toEqual([]);
});

test('mounting the same image again does nothing, and says so', async (ctx) => {
  const { root, directory, mount } = await helloScene(ctx);
  const first = await mount();
  const second = await mount();
  expect(second).toMatchObject({ already: true, pid: first.pid });
  expect(mountsBelow(root)).toEqual([directory]);
});

test('of eight that mount the same at once one does, and all succeed', async (ctx) => {
  const { root, directory, mount } = await helloScene(ctx);
  const all = await Promise.all(Array.from({ length: 8 }, () => mount()));
  expect(all.filter(({ already }) => !already).length).toBe(1);
  expect(new Set(all.map(({ pid }) => pid)).size).toBe(1);
  expect(mountsBelow(root)).toEqual([directory]);
});

test('another image, or the same with other options, is refused where one is mounted', async (ctx) => {
  const { root, source, directory, mount } = await helloScene(ctx);
  await mount();
  await expect(mount({ uid: 4711 })).rejects.toMatchObject({ code: 'busy' });
  writeFileSync(join(source, 'more'), 'of it');
  await packTree([source], join(root, 'other.shoal'));
  await expect(mountImage(join(root, 'other.shoal'), directory)).rejects.toMatchObject({
    code: 'busy',
    message: expect.stringContaining('image.shoal'),
  });
});

test('an image that took the place of the mounted one is not taken for it', async (ctx) => {
  const { root, source, image, volume, directory, mount } = await helloScene(ctx);
  await mount();
  writeFileSync(join(source, 'more'), 'of it');
  renameSync(image, join(root, 'old.shoal'));
  renameSync(volume, join(root, 'old.tar'));
  await packTree([source], image);
  await expect(mount()).rejects.toMatchObject({ code: 'busy' });
  await unmountImage(directory);
  expect((await mount()).already).toBe(false);
  expect(readFileSync(join(directory, 'more'), 'utf8')).toBe('of it');
});

test('a mount in use is not unmounted, but lazily it is, and its users go on', async (ctx) => {
  const { root, directory, mount } = await helloScene(ctx);
  const mounted = await mount();
  const descriptor = openSync(join(directory, 'hello'), 'r');
  await expect(unmountImage(directory)).rejects.toMatchObject({ code: 'busy' });
  expect(mountsBelow(root)).toEqual([directory]);
  await unmountImage(directory, { lazy: true });
  expect(mountsBelow(root)).toEqual([]);
  const into = Buffer.alloc(5);
  readSync(descriptor, into, 0, 5, 7);
  expect(into.toString()).toBe('world');
  expect(isRunning(mounted.pid)).toBe(true);
  closeSync(descriptor);
  await until(() => !isRunning(mounted.pid));
});

test('a symbolic link to a mount point is the mount point', async (ctx) => {
  const { root, image, directory, mount } = await helloScene(ctx);
  symlinkSync(directory, join(root, 'link'));
  await mount();
  expect((await mountImage(image, join(root, 'link'))).already).toBe(true);
  expect((await mountImage(image, `${directory}/.`)).already).toBe(true);
  await unmountImage(join(root, 'link/'));
  expect(mountsBelow(root)).toEqual([]);
});

test('names with spaces, newlines, commas and backslashes are mounted and found again', async (ctx) => {
  const { root, source } = await helloScene(ctx);
  const image = join(root, 'a b,c\\d\ne.shoal');
  const directory = join(root, 'x y,z\\w\nv');
  mkdirSync(directory);
  await packTree([source], image);
  await mountImage(image, directory);
  expect((await mountImage(image, directory)).already).toBe(true);
  expect(readFileSync(join(directory, 'hello'), 'utf8')).toBe('hello, world\n');
  await unmountImage(directory);
  expect(mountsBelow(root)).toEqual([]);
});

test('a mount point whose name is no UTF-8 is mounted and found again', async (ctx) => {
  const { root, image } = await helloScene(ctx);
  const directory = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x20, 0xfe])]);
  mkdirSync(directory);
  await mountImage(image, directory);
  expect((await mountImage(image, directory)).already).toBe(true);
  await unmountImage(directory);
});
