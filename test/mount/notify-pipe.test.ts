import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { mountImage } from '../../src/mount/mount-image.ts';
import { shoalProgram } from '../support/run-shoal.ts';
import { mountsBelow, run, type Scene, scene } from './scene.ts';

interface PipeScene extends Scene {
  readonly fifo: string;
  /** Starts the command; it need not end before somebody reads the FIFO. */
  shoal(...args: string[]): ChildProcess;
}

async function pipeScene(ctx: TestContext): Promise<PipeScene> {
  const made = scene(ctx);
  writeFileSync(join(made.source, 'hello'), 'hello, world\n');
  await made.pack();
  const fifo = join(made.root, 'fifo');
  run('mkfifo', [fifo]);
  const shoal = (...args: string[]) => {
    const child = spawn(process.execPath, [shoalProgram, ...args], { cwd: made.root, stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  };
  return { ...made, fifo, shoal };
}

test('notify_pipe gets s when the mount is ready, be the reader there before or after', async (ctx) => {
  const { directory, fifo, shoal, mount } = await pipeScene(ctx);
  const before = readFile(fifo, 'utf8');
  await once(shoal('mount', 'image.shoal', directory, '-o', 'notify_pipe=fifo'), 'exit');
  expect(await before).toBe('s');
  await (await mount()).unmount();
  await once(shoal('mount', 'image.shoal', directory, '-o', 'notify_pipe=fifo'), 'exit');
  expect(readFileSync(fifo, 'utf8')).toBe('s');
});

test('a mount with a notify_pipe that nobody reads is there at once, and can be unmounted', async (ctx) => {
  const { root, fifo, mount } = await pipeScene(ctx);
  const mounted = await mount({ notifyPipe: Buffer.from(fifo) });
  expect(mounted.already).toBe(false);
  await mounted.unmount();
  expect(mountsBelow(root)).toEqual([]);
});

test('notify_pipe gets s of a mount in the foreground', async (ctx) => {
  const { directory, fifo, shoal } = await pipeScene(ctx);
  const child = shoal('mount', '-f', '-o', `notify_pipe=${fifo}`, 'image.shoal', directory);
  expect(await readFile(fifo, 'utf8')).toBe('s');
  expect(run('cat', [join(directory, 'hello')])).toBe('hello, world\n');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('notify_pipe gets s where the image is mounted already, whatever pipe it was mounted with', async (ctx) => {
  const { image, directory, fifo, mount } = await pipeScene(ctx);
  await mount();
  const again = mountImage(image, directory, { notifyPipe: Buffer.from(fifo) });
  expect(await readFile(fifo, 'utf8')).toBe('s');
  expect((await again).already).toBe(true);
});

test.for([
  ['a missing image', ['none.shoal', 'mounted', '-o', 'notify_pipe=fifo']],
  ['a missing image, in the foreground', ['none.shoal', 'mounted', '-f', '-o', 'notify_pipe=fifo']],
  ['a damaged image', ['damaged.shoal', 'mounted', '-o', 'notify_pipe=fifo']],
  ['a missing mount point', ['image.shoal', 'none', '-o', 'notify_pipe=fifo']],
  ['a mistaken mount option', ['image.shoal', 'mounted', '-o', 'notify_pipe=fifo,uid=nobody']],
  ['an unknown option', ['image.shoal', 'mounted', '--option', '-onotify_pipe=fifo']],
  ['a missing operand', ['image.shoal', '--options=ro,notify_pipe=fifo']],
  ['a process that is none', ['image.shoal', 'mounted', '-o', 'notify_pipe=fifo', '--lease', 'me']],
  ['options that exclude each other', ['image.shoal', 'mounted', '-f', '--log', 'log', '-o', 'notify_pipe=fifo']],
] as const)('notify_pipe gets f for %s', async ([, args], ctx) => {
  const { root, image, fifo, shoal } = await pipeScene(ctx);
  run('cp', [image, join(root, 'damaged.shoal')]);
  truncateSync(join(root, 'damaged.shoal'), 5000);
  const child = shoal('mount', ...args);
  const exit = once(child, 'exit');
  expect(await readFile(fifo, 'utf8')).toBe('f');
  expect((await exit)[0]).toBeGreaterThan(0);
  expect(mountsBelow(root)).toEqual([]);
});

test('a failure is told at once, although nobody reads the notify_pipe', async (ctx) => {
  const { root } = await pipeScene(ctx);
  const fails = mountImage(join(root, 'none.shoal'), join(root, 'mounted'), {
    notifyPipe: Buffer.from(join(root, 'fifo')),
  });
  await expect(fails).rejects.toMatchObject({ code: 'missing' });
});

test('a notify_pipe that is missing, or a file, is a usage mistake, and nothing is written', async (ctx) => {
  const { root, image, directory } = await pipeScene(ctx);
  writeFileSync(join(root, 'file'), 'precious');
  for (const name of ['file', 'none']) {
    const args = [shoalProgram, 'mount', image, directory, '-o', `notify_pipe=${join(root, name)}`];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stderr).toMatch(/^shoal: mount: expected a FIFO for notify_pipe, found .* with mkfifo\n {2}path: /);
    expect(status).toBe(2);
  }
  expect(readFileSync(join(root, 'file'), 'utf8')).toBe('precious');
  expect(mountsBelow(root)).toEqual([]);
});
