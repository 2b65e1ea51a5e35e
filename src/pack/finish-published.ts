import { stat } from 'node:fs/promises';
import { openIndex } from '../image/open-image.ts';
import type { JobOptions } from '../native/run-job.ts';
import type { OutputPaths } from './output-paths.ts';
import { type RemovedSources, removeRemaining } from './source-removal.ts';
import { claimWorkDirectory } from './work-directory.ts';

export interface PublishedSummary {
  readonly image: Buffer;
  readonly entries: number;
  readonly bytes: number;
  readonly volumeLength: number;
  readonly indexLength: number;
  readonly id: string;
  readonly skipped: readonly [];
  readonly removed?: RemovedSources;
}

/** What a run still has to do that was stopped after the image was published, or that has ended: nothing but removing its sources, if it was to. */
export async function finishPublished(
  sources: readonly Buffer[],
  paths: OutputPaths,
  removeSource: boolean,
  jobs: number,
  options: JobOptions,
): Promise<PublishedSummary> {
  // Nobody else works on the image meanwhile, and what a killed run left is removed.
  const work = await claimWorkDirectory(paths);
  try {
    const summary = await summaryOf(paths);
    if (!removeSource) return summary;
    return { ...summary, removed: await removeRemaining(sources, paths.index, jobs, options) };
  } finally {
    await work.release();
  }
}

async function summaryOf(paths: OutputPaths): Promise<PublishedSummary> {
  const index = openIndex(paths.index);
  try {
    const { bytes } = index.totals(index.get(0));
    return {
      image: paths.index,
      entries: index.entryCount,
      bytes,
      volumeLength: index.volumes().reduce((sum, { length }) => sum + length, 0),
      indexLength: (await stat(paths.index)).size,
      id: index.id.toString('hex'),
      skipped: [],
    };
  } finally {
    index.close();
  }
}
