import { cpSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildClients } from '../../benchmarks/clients.ts';
import { judge, type Sample, type SoakFacts } from '../../benchmarks/soak/judge.ts';
import { Reader, type ReaderReport } from '../../benchmarks/soak/reader.ts';
import { Soak } from '../../benchmarks/soak/soak.ts';
import { makeSoakTree } from '../../benchmarks/soak/tree.ts';
import { scene } from './scene.ts';

const steady: Sample = { memory: 20, descriptors: 30 };

test('a short soak of readers, listings, mounts, killed readers and killed servers ends well', async (ctx) => {
  const { root } = scene(ctx);
  buildClients();
  const directory = join(root, 'soak');
  mkdirSync(directory);
  const never = new AbortController().signal;
  const soak = new Soak({ seconds: 15, directory, files: 1000, readers: 2, dropsDentries: false, signal: never });
  await soak.run();
  expect(judge(soak.facts).filter(({ holds }) => !holds)).toEqual([]);
});

test('a reader of the soak tells wrong bytes, files that end too early or too late, and files that are missing', async (ctx) => {
  const { root } = scene(ctx);
  buildClients();
  const tree = makeSoakTree(root, 1);
  const [path] = readFileSync(tree.paths, 'utf8').split('\0') as [string];
  const original = readFileSync(join(tree.directory, path));
  expect(await report('equal', () => {})).toMatchObject({ wrong: 0, unread: 0, firstWrong: '' });
  const flipped = Buffer.from(original);
  flipped.writeUInt8(flipped.readUInt8(7) ^ 1, 7);
  const told = await report('flipped', (file) => writeFileSync(file, flipped));
  expect(told.firstWrong).toContain(`${path}: from byte 7, `);
  expect((await report('short', (file) => truncateSync(file, original.length - 1))).wrong).toBeGreaterThan(0);
  expect((await report('long', (file) => truncateSync(file, original.length + 1))).wrong).toBeGreaterThan(0);
  const missing = new Reader(join(root, 'nowhere'), tree, 1);
  expect(await missing.stop()).toMatchObject({ wrong: 0, firstUnread: `${path}: No such file or directory` });

  async function report(name: string, change: (file: string) => void): Promise<ReaderReport> {
    const copy = join(root, name);
    cpSync(tree.directory, copy, { recursive: true });
    change(join(copy, path));
    return await new Reader(copy, tree, 1).stop();
  }
});

test('a soak is judged by what happened, and by the last quarter of its time against the first', () => {
  expect(notHeld({})).toEqual([]);
  expect(notHeld({ wrong: 1, firstWrong: 'a: from byte 3' })).toEqual([
    'no wrong bytes: 1 files, the first a: from byte 3',
  ]);
  expect(notHeld({ unread: 2, firstUnread: 'a: I/O error' })).toEqual([
    'no reads that failed: 2 files, the first a: I/O error',
  ]);
  expect(notHeld({ wrongFinds: 1 })).toEqual(['no wrong listings: 1 listings']);
  expect(notHeld({ stuck: 1 })).toEqual(['no process in state D or otherwise stuck: 1 processes']);
  expect(notHeld({ repairs: 0 })).toEqual([expect.stringContaining('everything was done')]);
  const leaking = Array.from({ length: 40 }, (_, second) => ({ ...steady, memory: 20 + second / 5 }));
  expect(notHeld({ samples: leaking })).toEqual([
    'memory flat, to 4 MiB: 20.9 MiB in the first quarter, 26.9 MiB in the last',
  ]);
  const opening = Array.from({ length: 40 }, (_, second) => ({ ...steady, descriptors: 30 + Math.floor(second / 20) }));
  expect(notHeld({ samples: opening })).toEqual([expect.stringContaining('descriptors flat: 30 in')]);
});

function notHeld(changed: Partial<SoakFacts>): string[] {
  const nothing = { wrong: 0, firstWrong: '', unread: 0, firstUnread: '', wrongFinds: 0, stuck: 0 };
  const done = { files: 1, bytes: 1, finds: 1, cycles: 1, repairs: 1, killedReaders: 1 };
  const checks = judge({ samples: Array(40).fill(steady), ...nothing, ...done, ...changed });
  return checks.filter(({ holds }) => !holds).map(({ what, found }) => `${what}: ${found}`);
}
