import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mountImage } from '../../src/mount/mount-image.ts';
import { parseMountOptions } from '../../src/mount/mount-options.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { run, type Scene, scene } from './scene.ts';

/** `outside/first`, whose second name is `sets/one/second`; a file and a directory in `sets/two`; a link to `sets`. */
async function sets(made: Scene): Promise<Scene> {
  const { source, pack } = made;
  for (const name of ['outside', 'sets', 'sets/one', 'sets/two', 'sets/two/below']) mkdirSync(join(source, name));
  writeFileSync(join(source, 'outside/first'), 'shared');
  linkSync(join(source, 'outside/first'), join(source, 'sets/one/second'));
  writeFileSync(join(source, 'sets/two/file'), 'two');
  symlinkSync('sets', join(source, 'link'));
  await pack();
  return made;
}

test('a directory of the image becomes the root, and what is above is not there', async (ctx) => {
  const { root, image, directory, mount } = await sets(scene(ctx));
  await mount({ subdir: Buffer.from('/sets/two/') });
  expect(run('find', [directory, '-mindepth', '1', '-printf', '%P\n']).split('\n').sort()).toEqual([
    '',
    'below',
    'file',
  ]);
  expect(statSync(join(directory, '..')).ino).toBe(statSync(root).ino);
  expect(run('sh', ['-c', `cd '${directory}/below/..' && ls -a`])).toBe('.\n..\nbelow\nfile\n');
  expect(statSync(directory).ino).toBe(1);
  expect(run('ls', ['-ia', join(directory, 'below')])).toMatch(/^ *1 \.\.$/m);
  expect(statfsSync(directory)).toMatchObject({ files: 3, blocks: 1 });

  const other = join(root, 'other');
  mkdirSync(other);
  await mountImage(image, other, { subdir: Buffer.from('sets/one') });
  expect(readdirSync(other)).toEqual(['second']);
  expect(readFileSync(join(other, 'second'), 'utf8')).toBe('shared');
  expect(statSync(join(other, 'second')).nlink).toBe(2);
  await expect(mount({ subdir: Buffer.from('sets') })).rejects.toMatchObject({ code: 'busy' });
  expect((await mount({ subdir: Buffer.from('/sets/two/') })).already).toBe(true);
});

test('a path that leads to no directory is refused, and told', async (ctx) => {
  const { directory, mount } = await sets(scene(ctx));
  const wrong = [
    ['sets/none/deeper', ', found nothing', 'sets/none'],
    ['outside/first', ', found a file', 'outside/first'],
    ['link/one', ', found a symbolic link, which is not followed', 'link'],
    ['sets/../outside', 'the path has a component `..`', 'sets/../outside'],
  ] as const;
  for (const [path, reason, told] of wrong) {
    const message = expect.stringContaining(reason);
    await expect(mount({ subdir: Buffer.from(path) })).rejects.toMatchObject({ code: 'usage', path: told, message });
  }
  expect(readdirSync(directory)).toEqual([]);
});

test('of several images those that have the directory make the root; its path is bytes', async (ctx) => {
  const { root, directory } = scene(ctx);
  const odd = Buffer.from([0x73, 0xff, 0x2c]);
  const images = [];
  for (const [name, has] of [
    ['first', true],
    ['second', false],
    ['third', true],
  ] as const) {
    const source = Buffer.from(join(root, name));
    mkdirSync(source);
    const place = Buffer.concat([source, Buffer.from('/'), has ? odd : Buffer.from('else')]);
    mkdirSync(place);
    writeFileSync(Buffer.concat([place, Buffer.from(`/${name}`)]), name);
    writeFileSync(Buffer.concat([place, Buffer.from('/which')]), name);
    await packTree([source], join(root, `${name}.shoal`));
    images.push(join(root, `${name}.shoal`));
  }
  const option = Buffer.concat([Buffer.from('subdir=s'), Buffer.of(0xff), Buffer.from('\\,')]);
  await mountImage(images, directory, parseMountOptions(option));
  expect(readdirSync(directory).sort()).toEqual(['first', 'third', 'which']);
  expect(readFileSync(join(directory, 'which'), 'utf8')).toBe('third');
  expect(statSync(directory).ino).toBe(1);
});

/** open_by_handle_at(2) with the handle that Linux makes of a FUSE node (fs/fuse/inode.c): two halves of the node, a generation. */
const openByHandle = `
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
mount = os.open(sys.argv[1], os.O_RDONLY)
for node in map(int, sys.argv[2:]):
  handle = struct.pack('IiIII', 12, 0x81, node >> 32, node & 0xffffffff, 0)
  fd = libc.open_by_handle_at(mount, handle, os.O_RDONLY)
  print(os.readlink(f'/proc/self/fd/{fd}') if fd >= 0 else os.strerror(ctypes.get_errno()))
`;

test('a file handle leads to what is below the root, asked for before or not, and to nothing else', async (ctx) => {
  if (process.getuid?.() !== 0) ctx.skip('open_by_handle_at(2) needs root');
  const { root, directory, image, mount } = await sets(scene(ctx));
  await mount();
  const nodeOf = (path: string) => String(statSync(join(directory, path)).ino);
  const nodes = ['sets/two/below', 'sets/two/file', 'outside', '', 'sets/two'].map(nodeOf);
  const other = join(root, 'other');
  mkdirSync(other);
  await mountImage(image, other, { subdir: Buffer.from('sets/two') });
  const found = run('python3', ['-c', openByHandle, other, ...nodes, '99'])
    .trimEnd()
    .split('\n');
  const stale = 'Stale file handle';
  expect(found).toEqual([join(other, 'below'), join(other, 'file'), stale, other, stale, stale]);
});
