import { spawnSync } from 'node:child_process';
import { copyFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, type TestContext, test } from 'vitest';
import { mountImage } from '../../src/mount/mount-image.ts';
import { unmountImage } from '../../src/mount/unmount-image.ts';
import { mountsBelow, type Scene, scene } from './scene.ts';

async function helloScene(ctx: TestContext): Promise<Scene> {
  const made = scene(ctx);
  writeFileSync(join(made.source, 'hello'), 'hello, world\n');
  await made.pack();
  return made;
}

test('a mount point that is missing, no directory or not empty is a usage mistake', async (ctx) => {
  const { root, image, source } = await helloScene(ctx);
  await expect(mountImage(image, join(root, 'missing'))).rejects.toMatchObject({
    code: 'usage',
    path: join(root, 'missing'),
  });
  await expect(mountImage(image, join(root, 'missing/below'))).rejects.toMatchObject({ code: 'usage' });
  await expect(mountImage(image, join(source, 'hello'))).rejects.toMatchObject({ code: 'usage' });
  await expect(mountImage(image, source)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('empty'),
  });
  expect(mountsBelow(root)).toEqual([]);
});

test('what cannot be served is not mounted, and told by its own error', async (ctx) => {
  const { root, image, volume, directory, mount } = await helloScene(ctx);
  await expect(mountImage(join(root, 'none.shoal'), directory)).rejects.toMatchObject({ code: 'missing' });
  await expect(mountImage(volume, directory)).rejects.toMatchObject({ code: 'not-image', path: volume });
  copyFileSync(image, join(root, 'alone.shoal'));
  truncateSync(join(root, 'alone.shoal'), 5000);
  await expect(mountImage(join(root, 'alone.shoal'), directory)).rejects.toMatchObject({ code: 'truncated' });
  truncateSync(volume, 2048);
  await expect(mount()).rejects.toMatchObject({ code: 'truncated', path: volume });
  expect(mountsBelow(root)).toEqual([]);
});

test('a /dev/fuse that is another device is told, with the cure', async (ctx) => {
  const { root, image, directory } = await helloScene(ctx);
  if (process.getuid?.() !== 0) ctx.skip('needs root, to cover the device');
  const program = fileURLToPath(new URL('../../bin/shoal.js', import.meta.url));
  const covered = spawnSync(
    'unshare',
    [
      '-m',
      'sh',
      '-c',
      'mount --bind /dev/null /dev/fuse && exec "$@"',
      'sh',
      process.execPath,
      program,
      'mount',
      image,
      directory,
    ],
    { encoding: 'utf8' },
  );
  expect(covered.stderr).toMatch(/^shoal: mount: the kernel offers no FUSE here; as root run modprobe fuse, or /);
  expect(covered.status).toBe(1);
  expect(mountsBelow(root)).toEqual([]);
});

test('only Shoal mounts are unmounted', async (ctx) => {
  const { directory } = await helloScene(ctx);
  await expect(unmountImage(directory)).rejects.toMatchObject({ code: 'missing', path: directory });
  await expect(unmountImage('/proc')).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('proc'),
  });
  await expect(mountImage(join(directory, '../image.shoal'), '/proc')).rejects.toMatchObject({ code: 'busy' });
});
