import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { smallFiles } from '../benchmarks/data-set.ts';
import { parseOptions } from '../benchmarks/options.ts';
import { median, type Result } from '../benchmarks/result.ts';
import { mountedScenarios } from '../benchmarks/scenarios/mounted.ts';
import { resultTable } from '../benchmarks/table.ts';
import { readFiles } from './layers/read-files.ts';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'shoal-benchmarks-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

test('a data set has files of about 6 kB with names of 20 bytes, 500 in a directory, and is the same everywhere', () => {
  const dataSet = smallFiles(scratch, 1000);
  const files = readFiles(dataSet.tree, /^img_\d{11}\.jpeg$/);
  expect(files.size).toBe(1000);
  expect(new Set([...files.keys()].map((path) => path.split('/')[0])).size).toBe(2);
  expect([...files.keys()].every((path) => path.split('/')[1]?.length === 20)).toBe(true);
  expect(dataSet.bytes / 1000).toBeGreaterThan(5500);
  expect(dataSet.bytes / 1000).toBeLessThan(6500);
  const digest = createHash('sha256');
  for (const path of [...files.keys()].sort()) digest.update(`${path}\0${files.get(path)}`);
  expect(digest.digest('hex')).toMatchInlineSnapshot(
    `"864f2e3553f370ff7da737d96d4ba6a5d89260fd4d60b2ccbe652f04431aa0e0"`,
  );
});

test('a table tells ratio and verdict, for losses as for wins', () => {
  const lines = resultTable([
    result('squashfuse_ll', [100, 90, 110]),
    result('plain directory', [5000]),
    { ...result('kernel squashfs', []), failure: 'failed: no loop device' },
    result('Shoal', [1000, 1250, 1300]),
  ]).split('\n');
  expect(cells(lines[2])).toEqual(['find (files/s)', 'squashfuse_ll', '100', '90–110', '12.50 ×', '≥ 12 ×: met']);
  expect(cells(lines[3])).toEqual(['', 'plain directory', '5 000', '5 000–5 000', '0.25 ×', '≥ 0.7 ×: NOT MET']);
  expect(cells(lines[4])).toEqual(['', 'kernel squashfs', 'failed: no loop device', '', '', '']);
  expect(cells(lines[5])).toEqual(['', 'Shoal', '1 250', '1 000–1 300', '', '']);
});

test('less is better where time or space is measured', () => {
  const seconds = { scenario: 'pack', unit: 's', better: 'lower' } as const;
  const lines = resultTable([
    { ...result('GNU tar', [3]), ...seconds },
    { ...result('Shoal', [1]), ...seconds },
  ]).split('\n');
  expect(cells(lines[2])).toEqual(['find (s)', 'GNU tar', '3', '3–3', '3.00 ×', '≥ 1.5 ×: met']);
});

test('the median of an even number of trials lies between the middle two', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([3, 1, 2])).toBe(2);
});

test('a scenario that does not exist is told with those that do', () => {
  expect(() => parseOptions(['--scenario', 'find,fnid'], mountedScenarios)).toThrow(
    /no scenario fnid; there are mount, find/,
  );
  expect(
    parseOptions(['--scenario', 'stat,find', '--quick'], mountedScenarios).scenarios.map(({ name }) => name),
  ).toEqual(['find', 'stat']);
});

function result(contender: string, trials: readonly number[]): Result {
  const about = { scenario: 'find', title: 'find', conditions: 'warm', dataSet: 'small' };
  return { ...about, contender, unit: 'files/s', better: 'higher', trials };
}

function cells(line: string | undefined): string[] {
  return (line ?? '')
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}
