import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { entryProblems } from '../image/entry-problem.ts';
import { verifyImage } from '../image/verify.ts';
import type { NativeComparison } from '../native/addon.ts';
import type { WalkedCatalogue } from '../native/packing.ts';
import type { JobOptions } from '../native/run-job.ts';
import { compareSources } from './source-removal.ts';
import type { WorkDirectory } from './work-directory.ts';

/**
 * Nothing is published that was not read through its own index, every byte against its checksum; and nothing is removed that was not also compared with
 * the source.
 */
export async function readBack(
  work: WorkDirectory,
  { catalogue, entries }: WalkedCatalogue,
  removeSource: boolean,
  jobs: number,
  options: JobOptions,
): Promise<NativeComparison | undefined> {
  const compared = removeSource
    ? await compareSources(catalogue, { index: work.index, below: Buffer.alloc(0), isSlice: false }, jobs, options)
    : undefined;
  const verified = compared
    ? { entries: compared.entries, problems: entryProblems(compared.problems) }
    : await verifyImage(work.index, { ...options, jobs });
  const [first] = verified.problems;
  if (first === undefined && verified.entries === entries) return compared?.comparison;
  const found = first === undefined ? `${verified.entries} entries` : `${showBytes(first.path)}: ${first.message}`;
  throw new ShoalError(
    'io',
    `expected to read back ${entries} entries as written, found ${found}. No image was made; check the storage and pack again`,
    { path: showBytes(work.index) },
  );
}
