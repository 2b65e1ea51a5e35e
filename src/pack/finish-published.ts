import { stat } from 'node:fs/promises';
import { openIndex } from '../image/open-image.ts';
import type { JobOptions } from '../native/run-job.ts';
import type { OutputPaths } from './output-paths.ts';
import type { PackSummary } from './pack-summary.ts';
import { removeRemaining, toldRemoval } from './source-removal.ts';
import { withWorkDirectory } from './with-work-directory.ts';

/** What a run still has to do that was stopped after the image was published, or that has ended: nothing but removing its sources, if it was to. */
export async function finishPublished(
  sources: readonly Buffer[],
  paths: OutputPaths,
  removeSource: boolean,
  jobs: number,
  options: JobOptions,
): Promise<PackSummary> {
  // Nobody else works on the image meanwhile, and what a killed run left is removed.
  return await withWorkDirectory(paths, async () => {
    const summary = await publishedSummary(paths);
    if (!removeSource) return summary;
    return { ...summary, removed: toldRemoval(await removeRemaining(sources, paths.index, false, jobs, options)) };
  });
}

/** What an image says of itself; of the run that made it nothing is known. */
export async function publishedSummary(paths: OutputPaths): Promise<PackSummary> {
  const index = openIndex(paths.index);
  try {
    const { bytes } = index.totals(index.get(0));
    const volumes = index.volumes().map(({ name, length }) => ({ name, length }));
    return {
      image: paths.index,
      entries: index.entryCount,
      bytes,
      inodes: 0,
      volumes,
      volumeLength: volumes.reduce((sum, { length }) => sum + length, 0),
      dedupedBytes: 0,
      indexLength: (await stat(paths.index)).size,
      id: index.id.toString('hex'),
      excluded: 0,
      skipped: [],
      notices: [],
      unreadable: [],
      oversized: [],
      strays: { first: [], count: 0 },
    };
  } finally {
    index.close();
  }
}
