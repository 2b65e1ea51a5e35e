import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, type TestContext, test } from 'vitest';
import type { MountOptions } from '../../src/mount/mount-options.ts';
import { isRunning, mountsBelow, run, scene, until } from './scene.ts';

const nobody = 65_534;
const program = fileURLToPath(new URL('../../bin/shoal.js', import.meta.url));

function needRoot(ctx: TestContext): void {
  if (process.getuid?.() !== 0) ctx.skip('needs root, to become somebody else');
}

/** Runs a shell command as nobody. */
function asNobody(command: string): string {
  return execFileSync('sh', ['-c', command], {
    uid: nobody,
    gid: nobody,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

test('uid, gid and umask show every entry so', async (ctx) => {
  const { source, directory, pack, mount } = scene(ctx);
  mkdirSync(join(source, 'below'), { mode: 0o755 });
  writeFileSync(join(source, 'below/file'), 'x', { mode: 0o666 });
  chmodSync(join(source, 'below/file'), 0o666);
  symlinkSync('file', join(source, 'below/link'));
  await pack();
  // A user must be among those who may then read.
  const uid = process.getuid?.() === 0 ? 4711 : (process.getuid?.() as number);
  await mount({ uid, gid: 4712, umask: 0o027 });
  for (const name of ['', 'below', 'below/file', 'below/link']) {
    expect(lstatSync(join(directory, name))).toMatchObject({ uid, gid: 4712 });
  }
  expect(statSync(join(directory, 'below')).mode & 0o7777).toBe(0o750);
  expect(statSync(join(directory, 'below/file')).mode & 0o7777).toBe(0o640);
});

test('fmask is for all but directories, dmask for directories, and umask for what neither is given for', async (ctx) => {
  needRoot(ctx);
  const { source, directory, pack, mount } = scene(ctx);
  mkdirSync(join(source, 'below'));
  chmodSync(join(source, 'below'), 0o777);
  writeFileSync(join(source, 'below/file'), 'x');
  chmodSync(join(source, 'below/file'), 0o777);
  run('mkfifo', ['-m', '777', join(source, 'below/fifo')]);
  await pack();
  const modes = async (options: MountOptions) => {
    const mounted = await mount(options);
    const found = ['below', 'below/file', 'below/fifo'].map((name) => statSync(join(directory, name)).mode & 0o7777);
    await mounted.unmount();
    return found.map((mode) => mode.toString(8));
  };
  expect(await modes({ fmask: 0o133, dmask: 0o27 })).toEqual(['750', '644', '644']);
  expect(await modes({ fmask: 0o133, umask: 0o77 })).toEqual(['700', '644', '644']);
  expect(await modes({ dmask: 0o27, umask: 0o77 })).toEqual(['750', '700', '700']);
  expect(await modes({ fmask: 0, umask: 0o77 })).toEqual(['700', '777', '777']);
});

test('noexec keeps programs of the mount from being run', async (ctx) => {
  const { source, directory, pack, mount } = scene(ctx);
  writeFileSync(join(source, 'program'), '#!/bin/sh\necho ran\n', { mode: 0o755 });
  await pack();
  const mounted = await mount();
  expect(run(join(directory, 'program'), [])).toBe('ran\n');
  await mounted.unmount();
  await mount({ noExec: true });
  expect(() => run(join(directory, 'program'), [])).toThrow(/EACCES/);
});

test('others see nothing without allow_other, and with it what permissions allow', async (ctx) => {
  needRoot(ctx);
  const { source, directory, pack, mount } = scene(ctx);
  writeFileSync(join(source, 'public'), 'for all');
  writeFileSync(join(source, 'private'), 'for one');
  chmodSync(join(source, 'private'), 0o600);
  await pack();
  const alone = await mount();
  expect(() => asNobody(`cat '${directory}/public'`)).toThrow(/Permission denied/);
  await alone.unmount();
  await mount({ allowOther: true });
  expect(asNobody(`cat '${directory}/public'`)).toBe('for all');
  expect(() => asNobody(`cat '${directory}/private'`)).toThrow(/Permission denied/);
});

test('a user without privileges mounts through fusermount3, and unmounts', async (ctx) => {
  needRoot(ctx);
  const { root, source, image, directory, pack } = scene(ctx);
  if ((statSync('/dev/fuse').mode & 0o006) !== 0o006)
    ctx.skip('/dev/fuse may not be opened by users: chmod 666 /dev/fuse');
  try {
    run('sh', ['-c', 'command -v fusermount3']);
  } catch {
    ctx.skip('fusermount3 is not installed');
  }
  writeFileSync(join(source, 'hello'), 'hello, world\n');
  await pack();
  chmodSync(image, 0o644);
  chmodSync(image.replace('.shoal', '.tar'), 0o644);
  chownSync(directory, nobody, nobody);

  const work = (code: string) =>
    execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code, image, directory], {
      uid: nobody,
      gid: nobody,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const modules = new URL('../../src/mount/', import.meta.url);
  const told = work(
    `import { mountImage } from '${modules}mount-image.ts'; console.log((await mountImage(process.argv[1], process.argv[2])).pid)`,
  );
  const pid = Number(told);
  expect(mountsBelow(root)).toEqual([directory]);
  expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(new RegExp(`^Uid:\\s+${nobody}`, 'm'));
  expect(asNobody(`cat '${directory}/hello'`)).toBe('hello, world\n');
  expect(() => readdirSync(directory)).toThrow('EACCES'); // Even root: it is the user's own.
  work(`import { unmountImage } from '${modules}unmount-image.ts'; await unmountImage(process.argv[2])`);
  expect(mountsBelow(root)).toEqual([]);
  await until(() => !isRunning(pid));
});

test('access control lists hold as they do in the source', async (ctx) => {
  needRoot(ctx);
  const { source, directory, pack, mount } = scene(ctx);
  const file = join(source, 'listed');
  writeFileSync(file, 'for nobody alone');
  chownSync(file, 0, 4712);
  try {
    // The group bits of its mode are then the mask, not what the owning group may.
    run('setfacl', ['-m', `g::---,m::rw-,u:${nobody}:r--,o::---`, file]);
  } catch {
    ctx.skip('setfacl is not installed, or this filesystem stores no access control lists');
  }
  await pack();
  await mount({ allowOther: true });
  for (const tree of [source, directory]) {
    expect(asNobody(`cat '${tree}/listed'`)).toBe('for nobody alone');
    const asGroup = () => execFileSync('cat', [join(tree, 'listed')], { uid: 4711, gid: 4712, stdio: 'pipe' });
    expect(asGroup).toThrow(/Permission denied/);
  }
});

test('a umask takes permissions from access control lists, too', async (ctx) => {
  needRoot(ctx);
  const { source, directory, pack, mount } = scene(ctx);
  const file = join(source, 'listed');
  writeFileSync(file, 'for all');
  try {
    run('setfacl', ['-m', 'u:4711:r--,g::r--,m::r--,o::r--', file]);
  } catch {
    ctx.skip('setfacl is not installed, or this filesystem stores no access control lists');
  }
  await pack();
  // The group's bits stay in the mode, so the kernel asks for the list.
  await mount({ allowOther: true, umask: 0o004 });
  const named = () => execFileSync('cat', [join(directory, 'listed')], { uid: 4711, gid: 4711, encoding: 'utf8' });
  expect(named()).toBe('for all');
  expect(() => asNobody(`cat '${directory}/listed'`)).toThrow(/Permission denied/);
});

test('of access control lists, fmask takes permissions from those of files, dmask from those of directories', async (ctx) => {
  needRoot(ctx);
  const { source, directory, pack, mount } = scene(ctx);
  mkdirSync(join(source, 'below'));
  writeFileSync(join(source, 'below/listed'), 'for all');
  try {
    for (const name of ['below', 'below/listed'])
      run('setfacl', ['-m', 'u:4711:rwx,g::rwx,m::rwx,o::rwx', join(source, name)]);
  } catch {
    ctx.skip('setfacl is not installed, or this filesystem stores no access control lists');
  }
  await pack();
  await mount({ allowOther: true, fmask: 0o037, dmask: 0o004 });
  const list = (name: string) =>
    run('getfacl', ['-cpn', join(directory, name)])
      .trim()
      .split('\n');
  expect(list('below/listed')).toEqual(['user::rw-', 'user:4711:r--', 'group::r--', 'mask::r--', 'other::---']);
  expect(list('below')).toEqual(['user::rwx', 'user:4711:rwx', 'group::rwx', 'mask::rwx', 'other::-wx']);
  const named = () =>
    execFileSync('cat', [join(directory, 'below/listed')], { uid: 4711, gid: 4711, encoding: 'utf8' });
  expect(named()).toBe('for all');
  expect(() => asNobody(`cat '${directory}/below/listed'`)).toThrow(/Permission denied/);
});

test('an image without extended attributes has empty lists of them', async (ctx) => {
  const { source, directory, pack, mount } = scene(ctx);
  writeFileSync(join(source, 'file'), 'x');
  await pack();
  await mount();
  const list = 'import os, sys; print(os.listxattr(sys.argv[1]))';
  expect(run('python3', ['-c', list, join(directory, 'file')])).toBe('[]\n');
});

test('a mount that its user may not read is not said to be there, be it new or old', async (ctx) => {
  needRoot(ctx);
  const { source, image, directory, pack, mount } = scene(ctx);
  chmodSync(source, 0o700);
  await pack();
  for (const file of [image, image.replace('.shoal', '.tar')]) chmodSync(file, 0o644);
  const mounted = await mount({ allowOther: true });
  expect(() => asNobody(`'${process.execPath}' '${program}' mount '${image}' '${directory}' -o allow_other`)).toThrow(
    /cannot read the mounted root directory/,
  );
  await mounted.unmount();
});
