import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, type TestContext, test } from 'vitest';
import { mountImage } from '../../src/mount/mount-image.ts';
import { mountAt } from '../../src/mount/mountinfo.ts';
import { fuseNativeMissing } from '../contract/engines.ts';
import { isRunning, mountsBelow, run, type Scene, scene, until } from './scene.ts';

const program = fileURLToPath(new URL('../../bin/shoal.js', import.meta.url));
const nobody = 65_534;

async function jsScene(ctx: TestContext): Promise<Scene> {
  const made = scene(ctx);
  const reason = fuseNativeMissing();
  if (reason !== undefined) ctx.skip(reason);
  mkdirSync(join(made.source, 'below'));
  writeFileSync(join(made.source, 'below/hello'), 'hello, world\n');
  writeFileSync(join(made.source, 'top'), 'top\n');
  await made.pack();
  return made;
}

test('a mount of engine=js is mounted once, told from one of the other engine, and ends when unmounted', async (ctx) => {
  const { root, directory, mount } = await jsScene(ctx);
  const mounted = await mount({ engine: 'js' });
  expect(await readFile(join(directory, 'below/hello'), 'utf8')).toBe('hello, world\n');
  expect(await mount({ engine: 'js' })).toMatchObject({ already: true, pid: mounted.pid });
  await expect(mount()).rejects.toThrow('this image with other options');
  await mounted.unmount();
  expect(mountsBelow(root)).toEqual([]);
  await until(() => !isRunning(mounted.pid));
});

test('SIGTERM ends a server of engine=js also while a program has a file open', async (ctx) => {
  const { root, directory, mount } = await jsScene(ctx);
  const mounted = await mount({ engine: 'js' });
  const file = await open(join(directory, 'top'));
  process.kill(mounted.pid, 'SIGTERM');
  await until(() => mountsBelow(root).length === 0);
  await until(() => !isRunning(mounted.pid));
  await file.close().catch(() => {}); // It is not connected any more.
});

test('what a killed server of engine=js leaves is repaired by the next mount', async (ctx) => {
  const { directory, mount } = await jsScene(ctx);
  const killed = await mount({ engine: 'js' });
  process.kill(killed.pid, 'SIGKILL');
  await until(() => !isRunning(killed.pid));
  const repaired = await mount({ engine: 'js' });
  expect(repaired.already).toBe(false);
  expect(await readdir(directory)).toEqual(['below', 'top']);
});

// The process that serves also looks whether its mount can be read, which must not wait for itself, even with a single thread beside JavaScript's.
test('in the foreground engine=js is ready, serves, and ends with 0', async (ctx) => {
  const { root, image, directory } = await jsScene(ctx);
  const server = spawn(process.execPath, [program, 'mount', '-f', image, directory, '-o', 'engine=js', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  });
  await once(server.stdout, 'data');
  expect(await readFile(join(directory, 'below/hello'), 'utf8')).toBe('hello, world\n');
  server.kill('SIGTERM');
  expect(await once(server, 'exit')).toEqual([0, null]);
  expect(mountsBelow(root)).toEqual([]);
});

test('the process of a foreground mount of engine=js ends when it is unmounted', async (ctx) => {
  const { image, directory } = await jsScene(ctx);
  const server = spawn(process.execPath, [program, 'mount', '-f', image, directory, '-o', 'engine=js', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(server.stdout, 'data');
  const ended = once(server, 'exit');
  run(process.execPath, [program, 'unmount', directory]);
  expect(await ended).toEqual([0, null]);
});

test('engine=js shows a directory of the image as the root', async (ctx) => {
  const { directory, mount } = await jsScene(ctx);
  await mount({ engine: 'js', subdir: Buffer.from('below') });
  expect(await readdir(directory)).toEqual(['hello']);
  expect(await readFile(join(directory, 'hello'), 'utf8')).toBe('hello, world\n');
});

test.for(['nowhere', 'top'])('engine=js refuses a subdir that is no directory: %s', async (subdir, ctx) => {
  const { root, mount } = await jsScene(ctx);
  await expect(mount({ engine: 'js', subdir: Buffer.from(subdir) })).rejects.toMatchObject({ code: 'missing' });
  expect(mountsBelow(root)).toEqual([]);
});

test('what engine=js cannot keep it does not promise', async (ctx) => {
  const { root, image, directory, mount } = await jsScene(ctx);
  for (const options of [{ polling: false }, { verify: false }, { cacheSize: 1 << 20 }, { readdirplus: false }]) {
    await expect(mount({ engine: 'js', ...options })).rejects.toMatchObject({ code: 'usage' });
  }
  await expect(mountImage([image, image], directory, { engine: 'js' })).rejects.toMatchObject({ code: 'unsupported' });
  const unnamed = Buffer.from(join(root, 'no-utf8-\xff'), 'latin1');
  mkdirSync(unnamed);
  await expect(mountImage(image, unnamed, { engine: 'js' })).rejects.toMatchObject({ code: 'unsupported' });
  expect(mountsBelow(root)).toEqual([]);
});

test('damage of an image under engine=js is EIO, told once', async (ctx) => {
  const { root, volume, directory, mount } = await jsScene(ctx);
  const bytes = readFileSync(volume);
  const at = bytes.indexOf('hello, world\n');
  bytes[at] = 0x48;
  writeFileSync(volume, bytes);
  const log = join(root, 'log');
  await mount({ engine: 'js', log });
  for (let times = 0; times < 2; times++) {
    await expect(readFile(join(directory, 'below/hello'))).rejects.toMatchObject({ code: 'EIO' });
  }
  expect(await readFile(join(directory, 'top'), 'utf8')).toBe('top\n');
  const told = `shoal: below/hello: the bytes of "below/hello" are not those that were packed; copy the volume anew (${volume}, offset ${at})\n`;
  expect(readFileSync(log, 'utf8')).toBe(told);
});

test('names of images and directories with commas, backslashes and spaces pass through libfuse', async (ctx) => {
  const { root, image } = await jsScene(ctx);
  const odd = join(root, 'a, \\b');
  mkdirSync(odd);
  const mounted = await mountImage(image, odd, { engine: 'js' });
  expect(await readFile(join(odd, 'top'), 'utf8')).toBe('top\n');
  await mounted.unmount();
  const linked = join(root, 'c, \\d.shoal');
  run('cp', [image, linked]);
  await mountImage(linked, odd, { engine: 'js' });
  expect(mountAt(Buffer.from(odd))?.source.toString()).toBe(linked);
});

test('a user without privileges mounts with engine=js through fusermount, and unmounts', async (ctx) => {
  if (process.getuid?.() !== 0) ctx.skip('needs root, to become somebody else');
  const { root, image, volume, directory } = await jsScene(ctx);
  if ((statSync('/dev/fuse').mode & 0o006) !== 0o006) ctx.skip('/dev/fuse may not be opened by users');
  try {
    run('sh', ['-c', 'command -v fusermount && command -v fusermount3']);
  } catch {
    ctx.skip('fusermount is not installed');
  }
  for (const file of [image, volume]) chmodSync(file, 0o644);
  chownSync(directory, nobody, nobody);
  const asNobody = async (...command: string[]) => {
    const child = spawn(command[0] as string, command.slice(1), { uid: nobody, gid: nobody, stdio: 'pipe' });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (said += part));
    const [status] = await once(child, 'close');
    return { status, said };
  };
  const quiet = { status: 0, said: '' };
  expect(await asNobody(process.execPath, program, 'mount', image, directory, '-o', 'engine=js')).toEqual(quiet);
  expect(await asNobody('cat', join(directory, 'top'))).toEqual({ status: 0, said: 'top\n' });
  expect(await asNobody(process.execPath, program, 'unmount', directory)).toEqual(quiet);
  expect(mountsBelow(root)).toEqual([]);
});
