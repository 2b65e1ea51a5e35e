import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { findLeaseHolder, isRunningHolder } from '../../src/mount/lease-holder.ts';
import { mountImage } from '../../src/mount/mount-image.ts';
import { mountAt } from '../../src/mount/mountinfo.ts';
import { shoalProgram } from '../support/run-shoal.ts';
import { isRunning, mountsBelow, type Scene, scene, until } from './scene.ts';

async function helloScene(ctx: TestContext): Promise<Scene> {
  const made = scene(ctx);
  writeFileSync(join(made.source, 'hello'), 'hello, world\n');
  await made.pack();
  return made;
}

/** A process that does nothing until it is ended. */
function job(): ChildProcess & { readonly pid: number } {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child as ChildProcess & { readonly pid: number };
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** Ends the process, and returns when another mount with a lease of it has gone: then every server has had the time to see it. */
async function endWithItsMount({ root, image }: Scene, holder: ChildProcess): Promise<void> {
  const directory = join(root, 'clock');
  mkdirSync(directory);
  await mountImage(image, directory, { lease: holder.pid as number });
  await end(holder);
  await until(() => !mountsBelow(root).includes(directory));
}

test('a mount with a lease ends with the process, also one that was killed', async (ctx) => {
  const { root, mount } = await helloScene(ctx);
  const holder = job();
  const { pid } = await mount({ lease: holder.pid });
  await end(holder);
  await until(() => mountsBelow(root).length === 0);
  await until(() => !isRunning(pid));
});

test('a mount lives until the last of the processes has ended that it was mounted for', async (ctx) => {
  const made = await helloScene(ctx);
  const { root, directory, mount } = made;
  const [first, second] = [job(), job()];
  const { pid } = await mount({ lease: first.pid });
  expect(await mount({ lease: second.pid })).toMatchObject({ already: true, pid });
  await endWithItsMount(made, first);
  expect(mountsBelow(root)).toEqual([directory]);
  await end(second);
  await until(() => !isRunning(pid));
  expect(mountsBelow(root)).toEqual([]);
});

test('who mounts without a lease what has one keeps it for good', async (ctx) => {
  const made = await helloScene(ctx);
  const { root, directory, mount } = made;
  const holder = job();
  await mount({ lease: holder.pid });
  expect((await mount()).already).toBe(true);
  await endWithItsMount(made, holder);
  expect(mountsBelow(root)).toEqual([directory]);
});

test('a lease on a mount without one takes nothing from whoever made it', async (ctx) => {
  const made = await helloScene(ctx);
  const { root, directory, mount } = made;
  await mount();
  const holder = job();
  expect((await mount({ lease: holder.pid })).already).toBe(true);
  await endWithItsMount(made, holder);
  expect(mountsBelow(root)).toEqual([directory]);
});

test('a mount in the foreground ends with its lease, too, with status 0', async (ctx) => {
  const { root, image, directory } = await helloScene(ctx);
  const holder = job();
  const args = [shoalProgram, 'mount', '-f', '--lease', String(holder.pid), image, directory];
  const server = spawn(process.execPath, args, { stdio: 'ignore' });
  onTestFinished(() => void server.kill('SIGKILL'));
  await until(() => mountsBelow(root).length > 0);
  await end(holder);
  expect(await once(server, 'exit')).toEqual([0, null]);
  expect(mountsBelow(root)).toEqual([]);
});

test('a lease of a process that is none is refused, and nothing is mounted', async (ctx) => {
  const { root, image, directory, mount } = await helloScene(ctx);
  const gone = job();
  await end(gone);
  await expect(mount({ lease: gone.pid })).rejects.toMatchObject({
    code: 'missing',
    message: expect.stringContaining(`process ${gone.pid} to hold the lease, found none`),
  });
  for (const text of ['me', '0', '-1', '']) {
    const args = [shoalProgram, 'mount', image, directory, `--lease=${text}`];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stderr).toContain('--lease: expected the id of a process, found');
    expect(status).toBe(2);
  }
  expect(mountsBelow(root)).toEqual([]);
});

test('another process with the same id does not hold the lease', () => {
  const self = findLeaseHolder(process.pid);
  expect(isRunningHolder(self)).toBe(true);
  expect(isRunningHolder({ ...self, started: '1' })).toBe(false);
});

test('a process that has ended holds no lease, although nobody has looked for it yet', async () => {
  const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 1000'], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line);
  await until(() => !isRunning(pid));
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  expect(() => findLeaseHolder(pid)).toThrow(`expected a running process ${pid}`);
});

test('what others say to a server neither ends nor stops it', async (ctx) => {
  const { image, directory, mount } = await helloScene(ctx);
  const { pid } = await mount({ lease: process.pid });
  const device = mountAt(Buffer.from(directory))?.device;
  for (const said of ['\n', 'nonsense\n', '{"pid":1}\n', '{"pid":"1","started":1}\n', 'x'.repeat(200_000)]) {
    const socket = connect({ path: `\0shoal.mount.${device}` });
    socket.on('error', () => {});
    socket.resume().write(said);
    await new Promise((resolve) => socket.on('close', resolve));
  }
  expect(await mountImage(image, directory, { lease: process.pid })).toMatchObject({ already: true, pid });
});
