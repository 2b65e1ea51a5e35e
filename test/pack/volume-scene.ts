import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { verifyImage } from '../../src/image/verify.ts';
import { indexArchive } from '../../src/indexers/index-archive.ts';
import type { PackOptions } from '../../src/pack/pack-options.ts';
import type { PackSummary } from '../../src/pack/pack-summary.ts';
import { packTree } from '../../src/pack/pack-tree.ts';

/** What packing made: the summary, and index and volumes by path. */
export interface Packed {
  readonly summary: PackSummary;
  readonly index: string;
  readonly volumes: readonly string[];
}

export async function packInto(place: string, tree: string, options: PackOptions = {}): Promise<Packed> {
  const index = join(place, 'x.shoal');
  const summary = await packTree([tree], index, options);
  return { summary, index, volumes: summary.volumes.map(({ name }) => join(place, name.toString())) };
}

/** The image holds the tree, any number of threads makes the same bytes, and its volumes give the same index again. */
export async function expectRight(scratch: string, tree: string, options: PackOptions): Promise<Packed> {
  const packed = await packInto(mkdtempSync(join(scratch, 'one-')), tree, { ...options, jobs: 1 });
  const { problems, differences } = await verifyImage(packed.index, { against: tree });
  expect([...problems, ...differences]).toEqual([]);

  const other = await packInto(mkdtempSync(join(scratch, 'many-')), tree, { ...options, jobs: 16 });
  expect(other.volumes.length).toBe(packed.volumes.length);
  for (const [row, path] of packed.volumes.entries()) expectSameBytes(other.volumes[row] ?? '', path);
  expectSameBytes(other.index, packed.index);

  const again = join(packed.index, '..', 'again.shoal');
  await indexArchive([...packed.volumes].reverse(), { output: again });
  expectSameBytes(again, packed.index);
  return packed;
}

export function expectSameBytes(found: string, expected: string): void {
  expect(readFileSync(found).equals(readFileSync(expected)), `${found} is ${expected}`).toBe(true);
}

/** Members of the volume by name, in their order, without the root. */
export function membersOf(volume: string): string[] {
  const listed = execFileSync('tar', ['-tf', volume], { encoding: 'utf8' });
  return listed.split('\n').filter((name) => name !== '' && name !== './');
}

const tarfile = 'import sys, tarfile\ntarfile.open(sys.argv[1]).extractall(sys.argv[2], filter="fully_trusted")';
/** Programs that extract one volume into a directory; each has to be there. */
export const extractors: Record<string, (volume: string, directory: string) => readonly [string, ...string[]]> = {
  'GNU tar': (volume, directory) => ['tar', '-xpf', volume, '-C', directory],
  bsdtar: (volume, directory) => ['bsdtar', '-xpf', volume, '-C', directory],
  "Python's tarfile": (volume, directory) => ['python3', '-c', tarfile, volume, directory],
};

export function hasProgram(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0;
}

/** Extracts volume after volume; nothing may be complained of. */
export function extractAll(volumes: readonly string[], directory: string, extractor: string): void {
  mkdirSync(directory, { recursive: true });
  for (const volume of volumes) {
    const [program, ...options] = extractors[extractor]?.(volume, directory) ?? ['false'];
    const { status, stderr } = spawnSync(program, options, { encoding: 'utf8' });
    expect({ status, stderr }, volume).toEqual({ status: 0, stderr: '' });
  }
}
