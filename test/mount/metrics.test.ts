import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { keepMetricsFile, writeMetricsFile } from '../../src/mount/metrics-file.ts';
import { metricsText } from '../../src/mount/metrics-text.ts';
import { mountImage } from '../../src/mount/mount-image.ts';
import { mountStatistics } from '../../src/mount/statistics.ts';
import { unmountImage } from '../../src/mount/unmount-image.ts';
import { requestKinds } from '../../src/native/statistics.ts';
import { runShell, runShoal } from '../support/run-shoal.ts';
import { parsePrometheus } from './prometheus-text.ts';
import { mountsBelow, type Scene, scene, until } from './scene.ts';

async function helloScene(ctx: TestContext): Promise<Scene & { metrics: string }> {
  const made = scene(ctx);
  writeFileSync(join(made.source, 'hello'), 'hello, world\n');
  await made.pack();
  return { ...made, metrics: join(made.root, 'mount.prom') };
}

/** The values of a family by the label `kind`. */
function byKind(text: string, name: string): Record<string, number> {
  const samples = parsePrometheus(text).get(name)?.samples ?? [];
  return Object.fromEntries(samples.map(({ labels, value }) => [labels['kind'] ?? '', value]));
}

function onlyValue(text: string, name: string): number | undefined {
  const samples = parsePrometheus(text).get(name)?.samples ?? [];
  expect(samples).toHaveLength(1);
  return samples[0]?.value;
}

test('the file is there when the mount is, and its last state tells all that a short mount did', async (ctx) => {
  const { directory, image, metrics, mount } = await helloScene(ctx);
  const { unmount } = await mount({ metrics });
  const first = readFileSync(metrics, 'utf8');
  expect(onlyValue(first, 'shoal_up')).toBe(1);
  expect(byKind(first, 'shoal_requests_total')['read']).toBe(0);
  expect(parsePrometheus(first).get('shoal_mount_info')?.samples).toMatchObject([
    { labels: { directory, image, version: expect.stringMatching(/^\d+\.\d+\.\d+/) }, value: 1 },
  ]);
  expect(statSync(metrics).mode & 0o7777).toBe(0o644);

  readFileSync(join(directory, 'hello'));
  const told = await mountStatistics(directory);
  await unmount();
  const last = readFileSync(metrics, 'utf8');
  expect(onlyValue(last, 'shoal_up')).toBe(0);
  expect(onlyValue(last, 'shoal_served_bytes_total')).toBe(13);
  expect(onlyValue(last, 'shoal_storage_read_bytes_total')).toBe(told.storageBytes);
  expect(byKind(last, 'shoal_requests_total')).toMatchObject({ read: 1, lookup: told.requests.lookup.count });
  expect(Object.keys(byKind(last, 'shoal_requests_total'))).toEqual(requestKinds);
  expect(Object.values(byKind(last, 'shoal_request_errors_total'))).toEqual(requestKinds.map(() => 0));
  const started = onlyValue(last, 'shoal_start_time_seconds') as number;
  expect(Math.abs(started - (Date.now() / 1000 - told.uptime / 1e9))).toBeLessThan(60);
  expect(parsePrometheus(last).get('shoal_request_duration_seconds')?.samples.length).toBe(
    requestKinds.length * (told.bounds.length + 3),
  );
});

test('names of any bytes are labels that can be read', async (ctx) => {
  const { root, image, metrics } = await helloScene(ctx);
  const odd = Buffer.concat([Buffer.from(join(root, 'q"b\\n\n')), Buffer.of(0xff), Buffer.from('ä')]);
  mkdirSync(odd);
  const { unmount } = await mountImage(image, odd, { metrics: Buffer.from(metrics) });
  await unmount();
  const labels = parsePrometheus(readFileSync(metrics, 'utf8')).get('shoal_up')?.samples[0]?.labels;
  expect(labels).toEqual({ directory: `${root}/q"b\\\\n\\n\\xFFä` });
});

test('several images are several lines of information', async (ctx) => {
  const { directory, mount } = await helloScene(ctx);
  await mount();
  const statistics = await mountStatistics(directory);
  const images = ['/a.shoal', '/b.shoal'].map((path) => Buffer.from(path));
  const text = metricsText(statistics, { directory: Buffer.from('/m'), images, version: '1', started: 1.5, up: true });
  const info = parsePrometheus(text).get('shoal_mount_info')?.samples;
  expect(info?.map(({ labels }) => labels['image'])).toEqual(['/a.shoal', '/b.shoal']);
});

test('the command takes a path beside it, and others may read the file whatever its umask', async (ctx) => {
  const { root, image, directory, metrics } = await helloScene(ctx);
  const { stderr } = runShell(`umask 077; cd '${root}' && shoal mount --metrics mount.prom '${image}' '${directory}'`);
  expect(stderr).toBe('');
  expect(statSync(metrics).mode & 0o7777).toBe(0o644);
  expect(onlyValue(readFileSync(metrics, 'utf8'), 'shoal_up')).toBe(1);
  await unmountImage(directory);
});

test('the same mount with another file of metrics is the same mount', async (ctx) => {
  const { root, metrics, mount } = await helloScene(ctx);
  const mounted = await mount({ metrics });
  expect((await mount({ metrics: join(root, 'other.prom') })).already).toBe(true);
  expect((await mount()).already).toBe(true);
  await mounted.unmount();
});

test('where no file can be, nothing is mounted', async (ctx) => {
  const { root, source, mount } = await helloScene(ctx);
  await expect(mount({ metrics: join(root, 'none/mount.prom') })).rejects.toMatchObject({
    code: 'usage',
    path: join(root, 'none/mount.prom'),
    message: expect.stringContaining('mkdir -p'),
  });
  await expect(mount({ metrics: join(source, 'hello/mount.prom') })).rejects.toMatchObject({ code: 'usage' });
  symlinkSync('/dev/null', join(root, 'link'));
  for (const metrics of [source, '/dev/null', join(root, 'link')]) {
    await expect(mount({ metrics })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('regular'),
    });
  }
  expect(mountsBelow(root)).toEqual([]);
});

test('a file that cannot be written any more is told once, and the mount goes on', async (ctx) => {
  const { root } = await helloScene(ctx);
  const place = join(root, 'place');
  mkdirSync(place);
  const told: string[] = [];
  let written = 0;
  const text = () => `${++written}\n`;
  const kept = await keepMetricsFile(Buffer.from(join(place, 'mount.prom')), text, (line) => told.push(line), 1);
  expect(told).toEqual([]);
  rmSync(place, { recursive: true });
  const then = written;
  await until(() => written > then + 5);
  expect(told).toEqual([expect.stringContaining(`no such file or directory (${place}/mount.prom)`)]);
  mkdirSync(place);
  await until(() => readdirSync(place).includes('mount.prom'));
  await kept.close();
  expect(readFileSync(join(place, 'mount.prom'), 'utf8')).toBe(`${written}\n`);
  expect(readdirSync(place)).toEqual(['mount.prom']);
  expect(told).toHaveLength(1);
});

test('the server of a mount tells its log of a file that cannot be written, and serves on', async (ctx) => {
  const { root, directory, mount } = await helloScene(ctx);
  const place = join(root, 'place');
  const log = join(root, 'log');
  mkdirSync(place);
  const { unmount } = await mount({ metrics: join(place, 'mount.prom'), log });
  renameSync(place, join(root, 'elsewhere'));
  expect(readFileSync(join(directory, 'hello'), 'utf8')).toBe('hello, world\n');
  await unmount();
  expect(readFileSync(log, 'utf8')).toMatch(
    /^shoal: the metrics are not written until this is mended: [^\n]*place\/mount\.prom\)\n$/,
  );
});

test('a reader never finds a part of the file', async (ctx) => {
  const { root, metrics } = await helloScene(ctx);
  const line = (number: number) => `${number} `.repeat(20_000);
  await writeMetricsFile(Buffer.from(metrics), `${line(0)}\n`);
  const check = `
    const { readFileSync } = require('node:fs');
    let reads = 0, seen = new Set();
    process.stdin.on('end', () => { console.log(JSON.stringify({ reads, seen: seen.size })); process.exit(); }).resume();
    (function again() {
      for (let i = 0; i < 20; i++, reads++) {
        const text = readFileSync(process.argv[1], 'utf8');
        const first = text.slice(0, text.indexOf(' ') + 1);
        if (text !== first.repeat(20000) + '\\n') { console.log('part: ' + text.length); process.exit(1); }
        seen.add(first);
      }
      if (reads === 20) console.log('begun');
      setImmediate(again);
    })();`;
  const reader = spawn(process.execPath, ['-e', check, metrics], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void reader.kill());
  let said = '';
  reader.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await until(() => said.includes('begun'));
  for (let number = 1; number <= 500; number++) await writeMetricsFile(Buffer.from(metrics), `${line(number)}\n`);
  reader.stdin.end();
  await once(reader, 'close');
  const { reads, seen } = JSON.parse(said.replace('begun\n', ''));
  expect(reads).toBeGreaterThan(100);
  expect(seen).toBeGreaterThan(10);
  expect(readdirSync(root).filter((name) => name.startsWith('.shoal-'))).toEqual([]);
});

test('a file in a directory that may not be written is refused before mounting', async (ctx) => {
  if (process.getuid?.() !== 0) ctx.skip('needs root, to become somebody else');
  const { root, image, volume, directory, metrics } = await helloScene(ctx);
  for (const file of [image, volume]) chmodSync(file, 0o644);
  chownSync(directory, 65_534, 65_534);
  const ran = runShoal(['mount', image, directory, '--metrics', metrics], { uid: 65_534, gid: 65_534 });
  expect(ran.stderr).toMatch(/^shoal: mount: cannot write the metrics: permission denied\n/);
  expect(ran.status).toBe(1);
  expect(mountsBelow(root)).toEqual([]);
});
