import { basename } from 'node:path';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { type EntryProblem, entryProblems } from '../image/entry-problem.ts';
import type { ComparedImage, CompareSourcesResult, NativeComparison } from '../native/addon.ts';
import type { NativeCatalogue } from '../native/catalogue.ts';
import { loadAddon } from '../native/load.ts';
import { type JobOptions, runJob } from '../native/run-job.ts';
import { lstatOf } from './check-request.ts';
import { walkOptions } from './selection.ts';

/** What `removeSource` has removed. */
export interface RemovedSources {
  /** Names: files, directories and all others. */
  readonly entries: number;
  /** Given back to the filesystem. */
  readonly inodes: number;
  /** Of content whose last name was removed. */
  readonly bytes: number;
  /** What stays: it differs from the image, has changed since it was compared, or could not be removed; paths as the sources name them. */
  readonly kept: readonly EntryProblem[];
}

/** What one call has removed, before it is told. */
export interface RemovedOnce extends RemovedSources {
  /** Directories that stay because of something in them that was not compared, and that nothing in `kept` explains. */
  readonly notEmpty: readonly Buffer[];
}

/** Compares the walked sources with the image, every byte, reading the image from storage. */
export async function compareSources(
  catalogue: NativeCatalogue,
  image: ComparedImage,
  jobs: number,
  options: JobOptions,
): Promise<CompareSourcesResult> {
  return await runJob((counters) => loadAddon().compareSources(catalogue, image, jobs, counters), options);
}

/** Removes what was compared and is still the same. The image must be durable under its name. */
export async function removeSources(
  comparison: NativeComparison,
  jobs: number,
  options: JobOptions,
): Promise<RemovedOnce> {
  const removed = await runJob((counters) => loadAddon().removeSources(comparison, jobs, counters), options);
  return { ...removed, kept: entryProblems(removed.kept) };
}

/** What is told of a removal that was all there was to remove. */
export function toldRemoval({ entries, inodes, bytes, kept, notEmpty }: RemovedOnce): RemovedSources {
  return { entries, inodes, bytes, kept: [...kept, ...notEmpty.map(tellNotEmpty)].toSorted(byPath) };
}

export function tellNotEmpty(path: Buffer): EntryProblem {
  return { code: 'different', path, message: 'is not empty: something in it is not in the image' };
}

export function byPath(a: EntryProblem, b: EntryProblem): number {
  return Buffer.compare(a.path, b.path);
}

/**
 * Removes what is left of the sources of a run that was stopped when it had published the image at `index`; `isSlice`: a slice of them. Only what is
 * there now and is in the image, byte by byte, goes. Throws `checksum` without removing anything if the image is damaged.
 */
export async function removeRemaining(
  sources: readonly Buffer[],
  index: Buffer,
  isSlice: boolean,
  jobs: number,
  options: JobOptions,
): Promise<RemovedOnce> {
  const remaining = await existingSources(sources);
  if (remaining.length === 0) return { entries: 0, inodes: 0, bytes: 0, kept: [], notEmpty: [] };
  const request = walkOptions(remaining, jobs, { skipUnreadable: true });
  const { catalogue, unreadable } = await runJob((counters) => loadAddon().walk(request, counters), options);
  // Alone, a directory would be taken for the whole of the image.
  const [only] = remaining;
  const below = sources.length > 1 && remaining.length === 1 && only !== undefined ? baseName(only) : Buffer.alloc(0);
  const compared = await compareSources(catalogue, { index, below, isSlice }, jobs, options);
  const [damage] = compared.problems;
  if (damage !== undefined) {
    throw new ShoalError(
      'checksum',
      `expected a whole image before anything is removed, found damage in it: ${showBytes(damage.path)}: ${damage.message}. Nothing was removed; make the image anew from the sources`,
      { path: showBytes(index) },
    );
  }
  const removed = await removeSources(compared.comparison, jobs, options);
  return isSlice ? removed : { ...removed, kept: [...entryProblems(unreadable), ...removed.kept] };
}

/** Those of the sources that are there. */
export async function existingSources(sources: readonly Buffer[]): Promise<Buffer[]> {
  const found = await Promise.all(sources.map(lstatOf));
  return sources.filter((_, i) => found[i] !== undefined);
}

function baseName(source: Buffer): Buffer {
  return Buffer.from(basename(source.toString('latin1')), 'latin1');
}
