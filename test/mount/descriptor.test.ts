import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { shoalProgram } from '../support/run-shoal.ts';
import { isRunning, mountsBelow, run, type Scene, scene, until } from './scene.ts';

const program = fileURLToPath(new URL('on-descriptor.py', import.meta.url));
const nobody = 65_534;

async function descriptorScene(ctx: TestContext): Promise<Scene> {
  if (process.getuid?.() !== 0) ctx.skip('needs root, to mount without a server');
  const made = scene(ctx);
  writeFileSync(join(made.source, 'hello'), 'hello, world\n');
  writeFileSync(join(made.source, 'private'), 'for one');
  chmodSync(join(made.source, 'private'), 0o600);
  await made.pack();
  return made;
}

/** The command line of `shoal` with descriptor 3 mounted on the directory. */
function command(directory: string, data: string, args: readonly string[]): string[] {
  return [program, directory, data, process.execPath, shoalProgram, ...args];
}

function start(directory: string, args: readonly string[]): ChildProcess {
  const child = spawn('python3', command(directory, '', args), { stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

test('as Apptainer calls it, shoal serves what is mounted on /dev/fd/N, and SIGTERM ends it', async (ctx) => {
  const { root, image, directory } = await descriptorScene(ctx);
  const child = start(directory, ['mount', image, '/dev/fd/3', '-f']);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await until(() => mountsBelow(root).length > 0);
  // It waits until the kernel has shaken hands with the server.
  expect(run('cat', [join(directory, 'hello')])).toBe('hello, world\n');
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([0, null]);
  // Its output is that of the container.
  expect(said).toBe('');
});

test('without -f the command ends when the kernel has shaken hands, and its server goes on until others unmount', async (ctx) => {
  const { image, directory } = await descriptorScene(ctx);
  const mounted = spawnSync('python3', command(directory, '', ['mount', '--json', image, '/dev/fd/3']), {
    encoding: 'utf8',
  });
  expect(mounted).toMatchObject({ status: 0, stderr: '' });
  const { pid } = JSON.parse(mounted.stdout) as { pid: number };
  expect(isRunning(pid)).toBe(true);
  expect(run('cat', [join(directory, 'hello')])).toBe('hello, world\n');
  run('umount', [directory]);
  await until(() => !isRunning(pid));
});

test('the mount point is never looked for: it may lie where the server sees nothing', async (ctx) => {
  const { image, directory } = await descriptorScene(ctx);
  const hidden = join(directory, 'below');
  mkdirSync(hidden);
  // The server's mount namespace has an empty directory where the mount is.
  const script = 'umount -l "$0" 2>/dev/null; mount -t tmpfs none "$0"; exec "$@"';
  const args = ['-m', 'sh', '-c', script, directory, process.execPath, shoalProgram, 'mount', image, '/dev/fd/3'];
  const ran = spawnSync('python3', [program, hidden, '', 'unshare', ...args], { encoding: 'utf8' });
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  expect(run('cat', [join(hidden, 'hello')])).toBe('hello, world\n');
});

test('a descriptor that is no /dev/fuse, closed, or not mounted is a mistake that is told', async (ctx) => {
  const { image, directory } = await descriptorScene(ctx);
  const mount = (descriptor: number, ...args: string[]) =>
    spawnSync('python3', command(directory, 'none', ['mount', image, `/dev/fd/${descriptor}`, ...args]), {
      encoding: 'utf8',
    });
  for (const foreground of [[], ['-f']]) {
    expect(mount(0, ...foreground)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^shoal: mount: expected an open \/dev\/fuse .*found something else/),
    });
    expect(mount(3, ...foreground)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^shoal: mount: expected \/dev\/fuse with a mount, found it opened but not/),
    });
    expect(mount(99, ...foreground)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^shoal: mount: cannot take over the descriptor: bad file descriptor/),
    });
  }
});

test('what is wrong with an image is told, and nothing is served', async (ctx) => {
  const { root, directory } = await descriptorScene(ctx);
  const args = command(directory, '', ['mount', join(root, 'none.shoal'), '/dev/fd/3']);
  const { status, stderr } = spawnSync('python3', args, { encoding: 'utf8' });
  expect(stderr).toMatch(/^shoal: mount: cannot open: no such file/);
  expect(status).toBe(1);
  expect(spawnSync('ls', [directory], { encoding: 'utf8' }).stderr).toContain('not connected');
});

test('what only whoever mounted can do is refused', async (ctx) => {
  const { image, directory } = await descriptorScene(ctx);
  for (const option of [
    ['-o', 'timeout=5'],
    ['--lease', String(process.pid)],
  ]) {
    const args = command(directory, 'none', ['mount', image, '/dev/fd/3', ...option]);
    const { status, stderr } = spawnSync('python3', args, { encoding: 'utf8' });
    expect(stderr).toMatch(/^shoal: mount: expected no (timeout|lease) with \/dev\/fd\/3: .*for whoever mounted/);
    expect(status).toBe(2);
  }
});

test('permissions of entries hold, although the mount was made without default_permissions', async (ctx) => {
  const { image, directory } = await descriptorScene(ctx);
  const args = command(directory, ',allow_other', ['mount', image, '/dev/fd/3']);
  expect(spawnSync('python3', args, { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  const read = (name: string) =>
    spawnSync('cat', [join(directory, name)], { uid: nobody, gid: nobody, encoding: 'utf8' });
  expect(read('hello').stdout).toBe('hello, world\n');
  expect(read('private')).toMatchObject({ status: 1, stdout: '' });
});

test('nothing can be written, although the mount was made without ro', async (ctx) => {
  const { image, directory } = await descriptorScene(ctx);
  const args = command(directory, '', ['mount', image, '/dev/fd/3']);
  expect(spawnSync('python3', args, { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  for (const line of [
    'echo x > "$0/new"',
    'echo x > "$0/hello"',
    'echo x >> "$0/hello"',
    'rm "$0/hello"',
    'mkdir "$0/d"',
  ])
    expect(spawnSync('sh', ['-c', line, directory], { encoding: 'utf8' }).stderr).toMatch(
      /Read-only file system|I\/O error/,
    );
  expect(readFileSync(join(directory, 'hello'), 'utf8')).toBe('hello, world\n');
});
