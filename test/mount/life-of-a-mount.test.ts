import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

/** Runs the command to its end, with `inherited` as its descriptor 4. */
async function startShoal(args: readonly string[], inherited?: number): Promise<{ status: number; stderr: string }> {
  const program = fileURLToPath(new URL('../../bin/shoal.js', import.meta.url));
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'ignore', inherited ?? 'ignore'],
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [status] = (await once(child, 'close')) as [number];
  return { status, stderr };
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
  expect(() => closeSync(descriptor)).toThrow(/ENOTCONN|ECONNABORTED/);
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

test('of twenty that mount the same at once one does, and all succeed', async (ctx) => {
  const { root, directory, mount } = await helloScene(ctx);
  const all = await Promise.all(Array.from({ length: 20 }, () => mount()));
  expect(all.filter(({ already }) => !already).length).toBe(1);
  expect(new Set(all.map(({ pid }) => pid)).size).toBe(1);
  expect(mountsBelow(root)).toEqual([directory]);
});

test('a server that answers nothing is told, and does not keep the command from ending', async (ctx) => {
  const { image, directory, mount } = await helloScene(ctx);
  const { pid } = await mount();
  process.kill(pid, 'SIGSTOP');
  try {
    const { status, stderr } = await startShoal(['mount', image, directory]);
    expect(stderr).toContain('whose server does not answer; shoal unmount --lazy takes it away');
    expect(status).toBe(1);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});

/** What the process has open; its lines to those who ask it come and go. */
function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}

test('a server holds nothing open of whoever started it', async (ctx) => {
  const { root, image, directory } = await helloScene(ctx);
  const inherited = openSync(join(root, 'inherited'), 'w');
  await startShoal(['mount', image, directory], inherited);
  closeSync(inherited);
  const { pid } = await mountImage(image, directory);
  const open = openFiles(pid);
  expect(open).toContain('/dev/fuse');
  expect(open).not.toContain(join(root, 'inherited'));
});

test('an index and its volume may be links into a store, each under the name that it was packed as', async (ctx) => {
  const { root, image, volume, directory } = await helloScene(ctx);
  mkdirSync(join(root, 'links'));
  renameSync(image, join(root, 'object-1'));
  renameSync(volume, join(root, 'object-2'));
  symlinkSync('../object-1', join(root, 'links/image.shoal'));
  symlinkSync('../object-2', join(root, 'links/image.tar'));
  await mountImage(join(root, 'links/image.shoal'), directory);
  expect(readFileSync(join(directory, 'hello'), 'utf8')).toBe('hello, world\n');
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
