import { stat } from 'node:fs/promises';
import { openIndex } from '../image/open-image.ts';
import type { JobOptions } from '../native/run-job.ts';
import type { OutputPaths } from './output-paths.ts';
import { type RemovedSources, removeRemaining, toldRemoval } from './source-removal.ts';
import { claimWorkDirectory } from './work-directory.ts';

/** What is known of an image that was there already. */
export interface PublishedSummary {
  readonly image: Buffer;
  readonly entries: number;
  readonly bytes: number;
  readonly inodes: number;
  readonly volumes: readonly { readonly name: Buffer; readonly length: number }[];
  readonly volumeLength: number;
  readonly dedupedBytes: number;
  readonly indexLength: number;
  readonly id: string;
  readonly excluded: number;
  readonly skipped: readonly [];
  readonly notices: readonly [];
  readonly unreadable: readonly [];
  readonly oversized: readonly [];
  readonly strays: { readonly first: readonly Buffer[]; readonly count: number };
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
    return { ...summary, removed: toldRemoval(await removeRemaining(sources, paths.index, false, jobs, options)) };
  } finally {
    await work.release();
  }
}

async function summaryOf(paths: OutputPaths): Promise<PublishedSummary> {
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
