import * as format from '../format/constants.ts';
import type { Metadata } from '../format/metadata.ts';
import type { Volume } from '../format/volumes.ts';
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

/** Completes the volumes that were written in `work`, to which the image's id belongs, and writes and syncs their index. */
export async function buildIndex(
  catalogue: NativeCatalogue,
  names: readonly Buffer[],
  metadata: Metadata,
  work: WorkDirectory,
  jobs: number,
): Promise<BuiltIndex> {
  const addon = loadAddon();
  const encoded = encodeCatalogue(addon.catalogueColumns(catalogue));
  const pieces = await runJob(() => addon.finishVolumes(catalogue, names.map(work.volume), encoded.id, jobs));
  const volumes = names.map((name, row) => describeVolume(work.volume(name), name, pieces[row]));
  const { id, length, parts } = assembleIndex(encoded, volumes, metadata);
  await writeNewFile(work.index, parts);
  return { id, length };
}

function describeVolume(path: Buffer, name: Buffer, pieces: Uint32Array | undefined): Volume {
  const source = openFileSource(path, 'wrong-volume');
  try {
    const flags = format.volumeHasChecksums | format.volumeByShoal;
    return { ...probeVolume(source), name, codec: format.codecNone, flags, pieces };
  } finally {
    source.close();
  }
}
