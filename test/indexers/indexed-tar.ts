import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type IndexSummary, indexArchive } from '../../src/indexers/index-archive.ts';
import { loadAddon } from '../../src/native/load.ts';
import { runJob } from '../../src/native/run-job.ts';
import { type CompareOptions, compareTrees } from '../compare-trees.ts';
import { removeTree } from '../support/remove-tree.ts';

export const isRoot = process.getuid?.() === 0;

/** A directory of this test file's own, gone when it ends. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'shoal-indexers-'));
  afterAll(() => removeTree(directory));
  return directory;
}

/** Runs a program without a word; `args` are bytes in latin1. */
export function run(program: string, args: readonly string[], cwd: string): void {
  execFileSync(program, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
}

export function hasProgram(name: string): boolean {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Indexes `archive`, extracts the image, lets `program` extract the archive, and compares the two: one line for each difference. */
export async function differencesFromTar(
  archive: string,
  options: CompareOptions = {},
  program: 'tar' | 'bsdtar' = 'tar',
): Promise<{ result: IndexSummary; differences: string[] }> {
  const result = await indexArchive(Buffer.from(archive), { force: true });
  const ours = await extractImage(result.image, `${archive}.ours`);
  const theirs = `${archive}.theirs`;
  mkdirSync(theirs);
  const flags = program === 'tar' ? ['--xattrs', '--xattrs-include=*'] : ['--xattrs'];
  run(program, ['-C', theirs, ...flags, '--numeric-owner', '-p', '-xf', archive], '/');
  const differences = await compareTrees(theirs, ours, options);
  for (const directory of [ours, theirs]) rmSync(directory, { recursive: true });
  return { result, differences };
}

export async function extractImage(image: Buffer, directory: string): Promise<string> {
  mkdirSync(directory);
  const addon = loadAddon();
  const { problems } = await runJob((counters) => addon.extract(image, [], Buffer.from(directory), 2, counters));
  if (problems.length > 0) throw new Error(`extraction: ${problems.map(({ message }) => message).join('; ')}`);
  return directory;
}
