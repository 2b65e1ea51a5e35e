import type { IndexColumns } from '../format/columns.ts';
import * as format from '../format/constants.ts';
import type { Metadata } from '../format/metadata.ts';
import { assembleIndex, encodeCatalogue } from '../format/write-index.ts';
import { probeVolume } from '../image/volume-probe.ts';
import { writeNewFile } from '../io/atomic-file.ts';
import { openFileSource } from '../io/file-source.ts';
import { loadAddon } from '../native/load.ts';
import { type JobOptions, runJob } from '../native/run-job.ts';
import type { WorkDirectory } from './work-directory.ts';

export interface BuiltIndex {
  readonly id: Buffer;
  /** In bytes. */
  readonly length: number;
}

/** Writes and syncs the index of a volume that lies in `work`, after putting the image's id into the volume. */
export async function buildIndex(
  columns: IndexColumns,
  volumeName: Buffer,
  metadata: Metadata,
  work: WorkDirectory,
  jobs: number,
  { signal }: JobOptions,
): Promise<BuiltIndex> {
  const catalogue = encodeCatalogue(columns);
  const addon = loadAddon();
  await runJob(() => addon.stampVolume(work.volume, catalogue.id));
  const pieces = await runJob((counters) => addon.pieceChecksums(work.volume, jobs, counters), { signal });
  const source = openFileSource(work.volume, 'wrong-volume');
  try {
    const volume = {
      ...probeVolume(source),
      name: volumeName,
      codec: format.codecNone,
      flags: format.volumeHasChecksums | format.volumeByShoal,
      pieces,
    };
    const { id, length, parts } = assembleIndex(catalogue, [volume], metadata);
    await writeNewFile(work.index, parts);
    return { id, length };
  } finally {
    source.close();
  }
}
