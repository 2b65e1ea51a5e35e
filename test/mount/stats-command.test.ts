import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { announceLease, askLease, type LeaseLine } from '../../src/mount/lease.ts';
import { mountStatistics } from '../../src/mount/statistics.ts';
import { unmountImage } from '../../src/mount/unmount-image.ts';
import { runShoal, shoalProgram } from '../support/run-shoal.ts';
import { isRunning, type Scene, scene, until } from './scene.ts';

const nobody = 65_534;
const lease = { pid: process.pid, ids: ['0'.repeat(32)], options: '{}' };

async function helloScene(ctx: TestContext): Promise<Scene> {
  const made = scene(ctx);
  writeFileSync(join(made.source, 'hello'), 'hello, world\n');
  await made.pack();
  return made;
}

test('shows what the mount has done', async (ctx) => {
  const { directory, image, mount } = await helloScene(ctx);
  const { pid } = await mount();
  readFileSync(join(directory, 'hello'));
  const { status, stdout, stderr } = runShoal(['stats', directory]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain(`${image} on ${directory}, for `);
  expect(stdout).toContain(`process ${pid}, `);
  expect(stdout).toMatch(/^request +count +per second +errors +p50 µs +p90 +p99 +p99.9 +longest$/m);
  expect(stdout).toMatch(/^read +1 +[\d.]+ +0( +[\d.]+){5}$/m);
  expect(stdout).toMatch(/^ *served {2}13 bytes$/m);
  expect(stdout).not.toMatch(/^lseek /m);

  const document = JSON.parse(runShoal(['stats', '--json', directory]).stdout);
  expect(document).toMatchObject({
    directory,
    image,
    pid,
    servedBytes: 13,
    requests: { read: { count: 1, errors: 0 } },
  });
  expect(document.requests.read.p50).toBeGreaterThan(0);
});

test('asks a server in the foreground, too', async (ctx) => {
  const { directory, image } = await helloScene(ctx);
  const server = spawn(process.execPath, [shoalProgram, 'mount', '-f', '--json', image, directory]);
  await once(server.stdout, 'data');
  expect(await mountStatistics(directory)).toMatchObject({ pid: server.pid, directory: Buffer.from(directory) });
  await unmountImage(directory);
});

test('where no Shoal mount is, that is told', async (ctx) => {
  const { root, directory } = await helloScene(ctx);
  await expect(mountStatistics(directory)).rejects.toMatchObject({ code: 'missing', path: directory });
  await expect(mountStatistics('/proc')).rejects.toMatchObject({ code: 'usage' });
  await expect(mountStatistics(join(root, 'none'))).rejects.toMatchObject({ code: 'usage' });
  expect(runShoal(['stats', directory])).toMatchObject({
    status: 1,
    stdout: '',
    stderr: `shoal: stats: expected a Shoal mount, found nothing mounted here\n  path: ${directory}\n`,
  });
});

test('of a mount whose server was killed, that is told, with the cure', async (ctx) => {
  const { directory, mount } = await helloScene(ctx);
  const { pid } = await mount();
  process.kill(pid, 'SIGKILL');
  await until(() => !isRunning(pid));
  await expect(mountStatistics(directory)).rejects.toMatchObject({
    code: 'missing',
    message: expect.stringContaining('gone; shoal mount or shoal unmount repairs it'),
  });
});

test('a server that is stuck is told, and does not keep the command', async (ctx) => {
  const { directory, mount } = await helloScene(ctx);
  const { pid } = await mount();
  process.kill(pid, 'SIGSTOP');
  onTestFinished(() => void process.kill(pid, 'SIGCONT'));
  await expect(mountStatistics(directory)).rejects.toMatchObject({
    code: 'busy',
    message: expect.stringContaining('whose server does not answer'),
  });
});

test('a mount of another network namespace is told as such', async (ctx) => {
  const { directory, mount } = await helloScene(ctx);
  await mount();
  const asked = spawnSync('unshare', ['-n', process.execPath, shoalProgram, 'stats', directory], { encoding: 'utf8' });
  if (asked.error !== undefined || /unshare failed/.test(asked.stderr)) ctx.skip('cannot make a network namespace');
  expect(asked.stderr).toContain('cannot be asked from here: it was mounted in another network namespace');
  expect(asked.status).toBe(1);
});

test("a user asks the server of the user's own mount, and root that of any", async (ctx) => {
  if (process.getuid?.() !== 0) ctx.skip('needs root, to become somebody else');
  if ((statSync('/dev/fuse').mode & 0o006) !== 0o006) ctx.skip('/dev/fuse may not be opened by users');
  if (spawnSync('fusermount3', ['-V']).error !== undefined) ctx.skip('fusermount3 is not installed');
  const { directory, image, volume } = await helloScene(ctx);
  for (const file of [image, volume]) chmodSync(file, 0o644);
  chownSync(directory, nobody, nobody);
  const asNobody = (...args: string[]) =>
    execFileSync(process.execPath, [shoalProgram, ...args], { uid: nobody, gid: nobody, encoding: 'utf8' });
  asNobody('mount', image, directory);
  try {
    const { pid } = JSON.parse(asNobody('stats', '--json', directory));
    expect(await mountStatistics(directory)).toMatchObject({ pid });
  } finally {
    asNobody('unmount', directory);
  }
});

const notHeld = async () => false;

test('a client that only reads gets the lease and nothing more, as before', async () => {
  const server = await announceLease('test:reads', lease, { statistics: () => ({ count: 1 }) }, notHeld);
  const client = connect({ path: '\0shoal.mount.test:reads' });
  let text = '';
  client.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  await until(() => text.includes('\n'));
  // The server has nothing else to say: a question of a second client is answered first.
  const line = (await askLease('test:reads')) as LeaseLine;
  expect(await line.ask('statistics')).toEqual({ count: 1 });
  expect(await line.ask('statistics')).toEqual({ count: 1 });
  line.close();
  expect(JSON.parse(text)).toEqual(lease);
  server.close();
});

test('whoever asks what no server answers, or sends no end of a line, is sent away; others are answered', async () => {
  const server = await announceLease('test:asks', lease, { statistics: () => ({ count: 1 }) }, notHeld);
  for (const question of ['nonsense\n', 'toString\n', 'x'.repeat(1 << 18)]) {
    const client = connect({ path: '\0shoal.mount.test:asks' });
    client
      .on('error', () => {})
      .resume()
      .write(question);
    await new Promise((resolve) => client.on('close', resolve));
  }
  const line = (await askLease('test:asks')) as LeaseLine;
  expect(await line.ask('statistics')).toEqual({ count: 1 });
  line.close();
  server.close();
});

/** Something that listens under the name of a mount. */
async function listen(device: string, answer: (question: string) => string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(`${JSON.stringify(lease)}\n`);
    socket.setEncoding('utf8').on('data', (part) => socket.write(answer(String(part))));
  });
  server.listen({ path: `\0shoal.mount.${device}` });
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return server;
}

test.each([
  ['nothing', ''],
  ['no JSON', 'not JSON\n'],
  ['no end', 'x'.repeat(1 << 20)],
])('of a server that answers %s, no answer is taken', async (name, answer) => {
  await listen(`test:${name}`, () => answer);
  const line = (await askLease(`test:${name}`)) as LeaseLine;
  expect(line.lease).toEqual(lease);
  expect(await line.ask('statistics')).toBeUndefined();
  line.close();
});
