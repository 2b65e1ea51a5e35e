import { loadAddon } from '../../src/native/load.ts';
import { runJob } from '../../src/native/run-job.ts';
import { type Selection, walkOptions } from '../../src/pack/selection.ts';

const alias = 0xffffffff;
const typeMask = 0o170000;
const directory = 0o040000;

/** Paths below the source that a walk of this selection finds, sorted: those of directories end in a slash. */
export async function walkedPaths(source: string, selection: Selection, jobs = 2): Promise<string[]> {
  const addon = loadAddon();
  const walked = await runJob((counters) => addon.walk(walkOptions([Buffer.from(source)], jobs, selection), counters));
  const { names, nameLengths, parents, attributes, attributeRows } = addon.catalogueColumns(walked.catalogue);
  const paths: string[] = [];
  let at = 0;
  for (const [entry, length] of nameLengths.entries()) {
    const name = Buffer.from(names.subarray(at, at + length)).toString('latin1');
    at += length;
    const row = attributes[entry] as number;
    const isDirectory = row !== alias && ((attributeRows[row * 5] as number) & typeMask) === directory;
    paths.push(`${paths[parents[entry] as number] ?? ''}${name}${isDirectory && entry > 0 ? '/' : ''}`);
  }
  return paths.slice(1).sort();
}
