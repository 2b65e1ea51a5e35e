import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { catalogueColumns } from '../../src/native/catalogue-columns.ts';
import { loadAddon } from '../../src/native/load.ts';
import { runJob } from '../../src/native/run-job.ts';
import { walkOptions } from '../../src/pack/selection.ts';
import { wideColumn } from '../support/index-bytes.ts';

const addon = loadAddon();
const files = 5000;
let tree: string;

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'shoal-columns-'));
  mkdirSync(join(tree, 'd'));
  for (let file = 0; file < files; file++) writeFileSync(join(tree, 'd', `file-${10_000 + file}`), '');
});
afterAll(() => rmSync(tree, { recursive: true }));

const walk = () => runJob((counters) => addon.walk(walkOptions([Buffer.from(tree)], 2, {}), counters));

test('columns show the memory of a catalogue and not copies of it', async () => {
  const { catalogue } = await walk();
  const [one, other] = [catalogueColumns(catalogue), catalogueColumns(catalogue)];
  const before = other.checksums[7];
  one.checksums[7] = 0x12345678;
  expect([before, other.checksums[7]]).toEqual([0, 0x12345678]);
});

test('columns stay when nothing else is left of their catalogue', async () => {
  const columns = catalogueColumns((await walk()).catalogue);
  setFlagsFromString('--expose-gc');
  for (let round = 0; round < 5; round++) {
    runInNewContext('gc')();
    await setImmediate();
    // What was freed would be taken for these.
    await walk();
  }
  const names = ['d', ...Array.from({ length: files }, (_, file) => `file-${10_000 + file}`)];
  expect(Buffer.from(columns.names).toString()).toBe(names.join(''));
  expect(columns.parents).toEqual(Uint32Array.from([0, 0, ...names.slice(1).map(() => 1)]));
  expect(columns.offsets).toEqual(wideColumn([1, 2, ...names.slice(1).map(() => 0)]));
});

test('a catalogue whose columns are read does not change any more', async () => {
  const { catalogue } = await walk();
  catalogueColumns(catalogue);
  const counters = new BigUint64Array(5);
  const closed = /expected a catalogue that may change, found one whose columns are being read/;
  expect(() => addon.findCopies(catalogue, 2, counters)).toThrow(closed);
  expect(() => addon.planVolumes(catalogue, { volumeSize: 0, level: 0 }, 2)).toThrow(closed);
  expect(() => addon.writeVolumes(catalogue, [], undefined, 2, counters)).toThrow(closed);
  expect(() => addon.leaveOut(catalogue, Uint32Array.of(3))).toThrow(closed);
  expect(() => addon.keepPart(catalogue, 1, 2)).toThrow(closed);
});
