import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { execInImages } from '../../src/mount/exec-in-images.ts';
import { execScene } from './exec-scene.ts';
import { until } from './scene.ts';

test('the library runs commands one after the other and tells how each ended', async (ctx) => {
  const { root, image, directory, isMountedAnywhere } = await execScene(ctx);
  const copy = join(root, 'copy');
  const run = (script: string) => execInImages([{ image, directory }], ['sh', '-c', script]);
  expect(await run(`cat '${directory}/hello' > '${copy}'; exit 7`)).toEqual({ status: 7 });
  expect(readFileSync(copy, 'utf8')).toBe('hello, world\n');
  expect(await run('kill -TERM $$')).toEqual({ status: 143, signal: 15 });
  expect(isMountedAnywhere()).toBe(false);
});

test('the library tells what was wrong, and then is as before', async (ctx) => {
  const { root, image, directory, isMountedAnywhere } = await execScene(ctx);
  const mounts = [{ image, directory }];
  await expect(execInImages(mounts, ['no-such-program'])).rejects.toMatchObject({
    code: 'missing',
    path: 'no-such-program',
  });
  await expect(execInImages(mounts, [])).rejects.toMatchObject({ code: 'usage' });
  await expect(execInImages(mounts, ['true'], { timeout: 3 })).rejects.toMatchObject({ code: 'usage' });
  await expect(execInImages([{ image: join(root, 'none'), directory }], ['true'])).rejects.toMatchObject({
    code: 'missing',
    path: join(root, 'none'),
  });
  await expect(execInImages([{ image, directory: join(root, 'none') }], ['true'])).rejects.toMatchObject({
    code: 'usage',
    path: join(root, 'none'),
  });
  await until(() => !isMountedAnywhere());
  expect(await execInImages(mounts, ['true'])).toEqual({ status: 0 });
});

test('signals go to the command while it runs, and to this process before and after; there is one command at a time', async (ctx) => {
  const { root, image } = await execScene(ctx);
  let heard = 0;
  const hear = () => heard++;
  process.on('SIGUSR2', hear);
  try {
    const ready = join(root, 'ready');
    const script = `trap 'exit 7' USR2; : > '${ready}'; while :; do sleep 0.02; done`;
    const ended = execInImages([{ image }], ['sh', '-c', script]);
    await until(() => existsSync(ready));
    await expect(execInImages([{ image }], ['true'])).rejects.toMatchObject({ code: 'busy' });
    process.kill(process.pid, 'SIGUSR2');
    expect(await ended).toEqual({ status: 7 });
    expect(heard).toBe(0);
    process.kill(process.pid, 'SIGUSR2');
    await until(() => heard === 1);
  } finally {
    process.off('SIGUSR2', hear);
  }
});

test('a process that exits while its command runs takes the command with it', async (ctx) => {
  const { root, image, isMountedAnywhere } = await execScene(ctx);
  const ready = join(root, 'ready');
  const module = new URL('../../src/mount/exec-in-images.ts', import.meta.url).href;
  const code = `
    import { existsSync } from 'node:fs';
    import { execInImages } from '${module}';
    execInImages([{ image: '${image}' }], ['sh', '-c', ': > ${ready}; exec tail -f ${ready}']);
    setInterval(() => existsSync('${ready}') && process.exit(5), 5);`;
  const exit = () =>
    execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  expect(exit).toThrow(expect.objectContaining({ status: 5 }));
  await until(() => !isMountedAnywhere());
});
