import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { budgets } from '../benchmarks/budgets.ts';
import { buildClients, peakMemory } from '../benchmarks/clients.ts';
import { smallFiles, standingTree, textFiles } from '../benchmarks/data-set.ts';
import { parseOptions } from '../benchmarks/options.ts';
import { median, type Result } from '../benchmarks/result.ts';
import { scenarioGroups } from '../benchmarks/scenarios/all.ts';
import { syntheticTar } from '../benchmarks/synthetic-tar.ts';
import { resultTable } from '../benchmarks/table.ts';
import { parseMountOptions } from '../src/mount/mount-options.ts';
import { readFiles } from './layers/read-files.ts';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'shoal-benchmarks-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

test('a data set has files of about 6 kB with names of 20 bytes, 500 in a directory, and is the same everywhere', () => {
  const dataSet = smallFiles(scratch, 1000);
  const files = readFiles(dataSet.source, /^img_\d{11}\.jpeg$/);
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

test('a data set of text has the names of the other, and compresses to about a third', () => {
  const dataSet = textFiles(scratch, 600);
  const files = readFiles(dataSet.source, /^img_\d{11}\.jpeg$/);
  expect(files.size).toBe(600);
  const content = Buffer.concat([...files.values()].map((text) => Buffer.from(text)));
  expect(content.length).toBe(dataSet.bytes);
  const share = deflateSync(content).length / content.length;
  expect(share).toBeGreaterThan(0.3);
  expect(share).toBeLessThan(0.4);
});

test('a tree that stands is counted, with its links, as the files that it has', () => {
  const { source } = smallFiles(scratch, 1000);
  symlinkSync('nowhere', join(source, 'link'));
  const { files, directories, bytes } = standingTree(source);
  expect({ files, directories, bytes }).toEqual({
    files: 1001,
    directories: 2,
    bytes: smallFiles(scratch, 1000).bytes + 'nowhere'.length,
  });
  rmSync(join(source, 'link'));
});

test('the peak of memory is that of the command, and private what it did not map of files', () => {
  buildClients();
  const file = join(scratch, 'mapped');
  writeFileSync(file, Buffer.alloc(2 ** 27, 1));
  // It looks now and then: what is there must stay for a while.
  const run = (code: string) => peakMemory(['python3', '-c', `import mmap, time\n${code}\ntime.sleep(0.5)`]);
  const least = run('0');
  const filled = run('kept = bytearray(b"x") * 2 ** 27');
  const mapped = run(
    `file = open("${file}")\nkept = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)\nsum(kept[::4096])`,
  );
  const isOfTheSize = (bytes: number) => bytes > 0.9 * 2 ** 27 && bytes < 1.5 * 2 ** 27;
  expect(filled.peak - least.peak).toSatisfy(isOfTheSize);
  expect(filled.private - least.private).toSatisfy(isOfTheSize);
  expect(mapped.peak - least.peak).toSatisfy(isOfTheSize);
  expect(mapped.private - least.private).toBeLessThan(2 ** 24);
  expect(() => peakMemory(['false'])).toThrow(/memory_client ended with 1/);
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
  expect(() => parseOptions(['--scenario', 'find,fnid'], scenarioGroups)).toThrow(
    /no scenario fnid; there are packing, .*, mount, find/,
  );
  expect(namesOf(['--scenario', 'stat,find', '--quick'])).toEqual(['find', 'stat']);
});

test('a group of scenarios runs by its name, the huge one only when it is asked for or small', () => {
  const huge = ['huge-mount', 'huge-stat', 'huge-memory'];
  expect(namesOf([])).not.toContain('pack-memory');
  expect(namesOf(['--scenario', 'huge'])).toEqual(huge);
  expect(namesOf(['--scenario', 'huge,find'])).toEqual(['find', ...huge]);
  expect(namesOf([])).not.toContain('huge-stat');
  for (const option of ['--full', '--quick']) expect(namesOf([option])).toEqual(expect.arrayContaining(huge));
});

test('scenarios have names of their own, and every budget is one of a scenario and its contenders', () => {
  const scenarios = scenarioGroups.flatMap((group) => group.scenarios);
  const names = [...scenarioGroups, ...scenarios].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const rows = scenarios.flatMap(({ name, contenders }) => contenders.map((contender) => `${name}: ${contender.name}`));
  expect(rows).toEqual(expect.arrayContaining(budgets.map(({ scenario, than = 'Shoal' }) => `${scenario}: ${than}`)));
});

test('contenders that share an archive would make the same one', () => {
  const made = new Map<string, Set<string>>();
  for (const { contenders } of scenarioGroups.flatMap(({ scenarios }) => scenarios).filter(({ packs }) => !packs)) {
    for (const { kind, pack } of contenders) {
      const command = pack?.({ source: 'source', archive: 'archive' }).join(' ');
      if (command !== undefined) made.set(kind, new Set([...(made.get(kind) ?? []), command]));
    }
  }
  expect([...made.keys()]).toEqual(expect.arrayContaining(['shoal', 'zstd-3-once.shoal', 'zstd-3-each.shoal']));
  for (const [kind, commands] of made) expect([kind, ...commands]).toHaveLength(2);
});

test('a technique is held against the mount option that switches it off', () => {
  const { scenarios = [] } = scenarioGroups.find(({ name }) => name === 'techniques') ?? {};
  expect(scenarios.length).toBeGreaterThan(10);
  for (const { contenders } of scenarios) {
    const [without, own] = contenders.map(({ name }) => name);
    expect(Object.keys(parseMountOptions(without?.replace('Shoal, ', '') ?? ''))).not.toEqual([]);
    expect(own).toBe('Shoal');
  }
});

test('a synthetic tar is one to tar, with the paths that it tells of', () => {
  const dataSet = syntheticTar(scratch, { files: 1201, perDirectory: 2, links: true });
  const listed = execFileSync('tar', ['-tvf', dataSet.source], { encoding: 'utf8' }).trimEnd().split('\n');
  expect(listed.length).toBe(dataSet.files + dataSet.directories);
  expect(listed.at(-1)).toContain('t001/d100/links/img_00000001200.jpeg -> ../img_00000001200.jpeg');
  const paths = readFileSync(dataSet.paths, 'utf8').split('\0').slice(0, -1);
  expect(paths.length).toBe(1201);
  expect(listed.filter((line) => paths.some((path) => line.includes(` ${path} `))).length).toBe(1201);
});

test('files of a synthetic tar have the content that was asked for', () => {
  const { source, bytes } = syntheticTar(scratch, { files: 700, perDirectory: 500, length: 100 });
  const [name = ''] = execFileSync('tar', ['-tf', source], { encoding: 'utf8' }).trimEnd().split('\n').slice(-1);
  expect(name).toBe('t000/d001/img_00000000699.jpeg');
  expect(execFileSync('tar', ['-xOf', source, name], { encoding: 'latin1' })).toBe(
    'img_00000000699.jpeg'.padEnd(100, '\0'),
  );
  expect(execFileSync('tar', ['-xOf', source]).length).toBe(bytes);
  expect(bytes).toBe(70_000);
});

function namesOf(args: readonly string[]): string[] {
  return parseOptions(args, scenarioGroups).scenarios.map(({ name }) => name);
}

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
