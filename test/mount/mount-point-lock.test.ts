import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { untilNoServerStarts, withMountPointLock, withServerLock } from '../../src/mount/mount-point-lock.ts';

/** No directory need be there for its lock. */
const directory = (name: string) => Buffer.from(`/nowhere/${process.pid}/${name}`);

test('of many that want a lock one holds it at a time, and each gets it', async () => {
  let inside = 0;
  const turns = Array.from({ length: 50 }, (_, turn) =>
    withMountPointLock(directory('many'), async () => {
      expect(++inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, turn % 3));
      inside--;
      return turn;
    }),
  );
  expect(await Promise.all(turns)).toEqual(turns.map((_, turn) => turn));
});

test('locks of different directories, and that of a server, do not wait for each other', async () => {
  await withMountPointLock(directory('one'), () =>
    withMountPointLock(directory('two'), () => withServerLock(directory('one'), async () => {})),
  );
});

test('a lock is free again after a failure', async () => {
  const fail = () => Promise.reject(new Error('no'));
  await expect(withMountPointLock(directory('failed'), fail)).rejects.toThrow('no');
  expect(await withMountPointLock(directory('failed'), async () => 'yes')).toBe('yes');
});

test('the lock of a process that is killed is free for those who wait', async () => {
  const module = fileURLToPath(new URL('../../src/mount/mount-point-lock.ts', import.meta.url));
  const path = directory('killed');
  const code = `
    const { withMountPointLock } = await import(process.argv[1]);
    await withMountPointLock(Buffer.from(process.argv[2]), async () => {
      console.log('holds it');
      await new Promise((resolve) => setTimeout(resolve, 1e9));
    });`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', code, module, path.toString()];
  const holder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  const waiting = Promise.all([1, 2, 3].map((turn) => withMountPointLock(path, async () => turn)));
  holder.kill('SIGKILL');
  expect(await waiting).toEqual([1, 2, 3]);
});

test('who waits for a server that starts waits until it is ready, and for none not at all', async () => {
  await untilNoServerStarts(directory('server'));
  let ready = false;
  const server = withServerLock(directory('server'), async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    ready = true;
  });
  await untilNoServerStarts(directory('server'));
  expect(ready).toBe(true);
  await server;
});
