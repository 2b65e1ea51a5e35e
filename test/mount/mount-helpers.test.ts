import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { shoalType } from '../../src/mount/mountinfo.ts';
import { unmountImage } from '../../src/mount/unmount-image.ts';
import { shoalProgram } from '../support/run-shoal.ts';
import { mountsBelow, run, type Scene, scene } from './scene.ts';

const helper = ['/sbin/mount.fuse3', '/usr/sbin/mount.fuse3', '/sbin/mount.fuse'].find((path) => existsSync(path));

interface HelperScene extends Scene {
  /** Has `shoal`, as an installed one would be found; it takes more arguments from `MORE` in the environment. */
  readonly bin: string;
}

async function helperScene(ctx: TestContext): Promise<HelperScene> {
  if (process.getuid?.() !== 0) ctx.skip('needs root, as mount(8) does');
  if (helper === undefined) ctx.skip('mount.fuse3 is not installed; it is in the package fuse3');
  const made = scene(ctx);
  writeFileSync(join(made.source, 'hello'), 'hello, world\n');
  await made.pack();
  for (const file of [made.image, made.volume]) chmodSync(file, 0o644);
  const bin = join(made.root, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'shoal'), `#!/bin/sh\nexec '${process.execPath}' '${shoalProgram}' "$@" $MORE\n`, {
    mode: 0o755,
  });
  return { ...made, bin };
}

function mountFuse(
  bin: string,
  args: readonly string[],
  more = '',
): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}`, MORE: more };
  return spawnSync(helper as string, args, { env, encoding: 'utf8' });
}

/** mount(8) takes PATH away, so `shoal` is where a shell looks without one; in a mount namespace of its own, in which the last line reads. */
function mountEight(
  bin: string,
  line: string,
  ...args: string[]
): { status: number | null; stdout: string; stderr: string } {
  const script = `set -e\nmount --bind "$0" /usr/local/sbin\n${line}`;
  return spawnSync('unshare', ['-m', 'sh', '-c', script, bin, ...args], { encoding: 'utf8' });
}

function kernelOptions(directory: string): string {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.find((line) => line.includes(` ${directory} `))?.split(' ')[5] ?? '';
}

test.for([
  ['shoal#IMAGE DIR', (image: string) => [`shoal#${image}`]],
  ['IMAGE DIR -t fuse.shoal', (image: string) => [image]],
] as const)('mount.fuse3 %s mounts, with what it adds to the options', async ([form, source], ctx) => {
  const { root, image, directory, bin } = await helperScene(ctx);
  const type = form.includes('#') ? [] : ['-t', 'fuse.shoal'];
  const args = [...source(image), directory, ...type, '-o', 'uid=4711,noatime,nofail,noexec'];
  expect(mountFuse(bin, args)).toMatchObject({ status: 0, stderr: '' });
  expect(run('stat', ['-c', '%u', join(directory, 'hello')])).toBe('4711\n');
  expect(kernelOptions(directory)).toBe('ro,nosuid,nodev,noexec,noatime');
  // Again it is the same mount.
  expect(mountFuse(bin, args).status).toBe(0);
  expect(mountsBelow(root)).toEqual([directory]);
  await unmountImage(directory);
});

test('mount.fuse3 -o drop_privileges mounts, and the server has no capability at all', async (ctx) => {
  const { image, directory, bin } = await helperScene(ctx);
  const args = [image, directory, '-t', 'fuse.shoal', '-o', 'drop_privileges,ro,uid=4711'];
  const { status, stdout } = mountFuse(bin, args, '--json');
  expect(status).toBe(0);
  expect(run('cat', [join(directory, 'hello')])).toBe('hello, world\n');
  expect(run('stat', ['-c', '%u', join(directory, 'hello')])).toBe('4711\n');
  expect(kernelOptions(directory)).toMatch(/^ro\b/);
  const server = readFileSync(`/proc/${JSON.parse(stdout).pid}/status`, 'utf8');
  expect(server).toMatch(/^CapEff:\s+0+$/m);
  expect(server).toMatch(/^NoNewPrivs:\s+1$/m);
  await unmountImage(directory);
});

test('mount.fuse3 -o setuid=nobody,drop_privileges serves as nobody', async (ctx) => {
  const { image, directory, bin } = await helperScene(ctx);
  chownSync(directory, 65_534, 65_534);
  const args = [image, directory, '-t', 'fuse.shoal', '-o', 'drop_privileges,ro,setuid=nobody,allow_other'];
  const { status, stdout } = mountFuse(bin, args, '--json');
  expect(status).toBe(0);
  expect(run('cat', [join(directory, 'hello')])).toBe('hello, world\n');
  expect(readFileSync(`/proc/${JSON.parse(stdout).pid}/status`, 'utf8')).toMatch(/^Uid:\s+65534/m);
  await unmountImage(directory);
});

test('a failure comes through mount.fuse3 as the message and the status of shoal', async (ctx) => {
  const { root, directory, bin } = await helperScene(ctx);
  const missing = join(root, 'none.shoal');
  expect(mountFuse(bin, [`shoal#${missing}`, directory])).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^shoal: mount: cannot open: no such file or directory\n/),
  });
  expect(mountFuse(bin, [`shoal#${missing}`, directory, '-o', 'nonsense'])).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/expected mount options .*uid, gid/),
  });
  expect(mountsBelow(root)).toEqual([]);
});

test('mount -t fuse.shoal mounts, and umount ends it', async (ctx) => {
  const { image, directory, bin } = await helperScene(ctx);
  const script = 'mount -t fuse.shoal "$1" "$2"\ncat "$2/hello"\nfindmnt -n -o FSTYPE,SOURCE "$2"\numount "$2"\n';
  const ran = mountEight(bin, script, image, directory);
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  expect(ran.stdout).toMatch(new RegExp(`^hello, world\n${shoalType} +${image}\n$`));
});

test('a line of fstab mounts, with all that people write there', async (ctx) => {
  const { root, image, directory, bin } = await helperScene(ctx);
  const options =
    'defaults,ro,noauto,user,exec,_netdev,nofail,noatime,x-systemd.automount,comment=data,allow_other,umask=022,notify_pipe=' +
    join(root, 'a\\,b');
  run('mkfifo', [join(root, 'a,b')]);
  writeFileSync(join(root, 'fstab'), `${image} ${directory} fuse.shoal ${options} 0 0\n`);
  const script = 'head -c1 "$3/a,b" >"$3/heard" & mount -T "$3/fstab" "$2"\ncat "$2/hello"\nwait\numount "$2"\n';
  const ran = mountEight(bin, script, image, directory, root);
  expect(ran).toMatchObject({ status: 0, stdout: 'hello, world\n', stderr: '' });
  expect(readFileSync(join(root, 'heard'), 'utf8')).toBe('s');
});
