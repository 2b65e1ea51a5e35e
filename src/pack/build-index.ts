import * as format from '../format/constants.ts';
import type { Metadata } from '../format/metadata.ts';
import { assembleIndex, encodeCatalogue } from '../format/write-index.ts';
import { probeVolume } from '../image/volume-probe.ts';
import { writeNewFile } from '../io/atomic-file.ts';
import { openFileSource } from '../io/file-source.ts';
import type { NativeCatalogue } from '../native/addon.ts';
import { loadAddon } from '../native/load.ts';
import { runJob } from '../native/run-job.ts';
import type { WorkDirectory } from './work-directory.ts';

export interface BuiltIndex {
  readonly id: Buffer;
  /** In bytes. */
  readonly length: number;
}

/** Completes the volume that was written in `work`, to which the image's id belongs, and writes and syncs its index. */
export async function buildIndex(
  catalogue: NativeCatalogue,
  volumeName: Buffer,
  metadata: Metadata,
  work: WorkDirectory,
): Promise<BuiltIndex> {
  const addon = loadAddon();
  const encoded = encodeCatalogue(addon.catalogueColumns(catalogue));
  const pieces = await runJob(() => addon.finishVolume(catalogue, work.volume, encoded.id));
  const source = openFileSource(work.volume, 'wrong-volume');
  try {
    const volume = {
      ...probeVolume(source),
      name: volumeName,
      codec: format.codecNone,
      flags: format.volumeHasChecksums | format.volumeByShoal,
      pieces,
    };
    const { id, length, parts } = assembleIndex(encoded, [volume], metadata);
    await writeNewFile(work.index, parts);
    return { id, length };
  } finally {
    source.close();
  }
}
