import * as format from '../format/constants.ts';
import { IndexEncoder } from '../format/index-encoder.ts';
import type { Metadata } from '../format/metadata.ts';
import type { Volume } from '../format/volumes.ts';
import { probeVolume } from '../image/volume-probe.ts';
import { writeNewFile } from '../io/atomic-file.ts';
import { openFileSource } from '../io/file-source.ts';
import type { NativeCatalogue } from '../native/catalogue.ts';
import { catalogueColumns } from '../native/catalogue-columns.ts';
import { loadAddon } from '../native/load.ts';
import type { FinishedVolume } from '../native/packing.ts';
import { runJob } from '../native/run-job.ts';
import type { WorkDirectory } from './work-directory.ts';

export interface BuiltIndex {
  readonly id: Buffer;
  /** In bytes. */
  readonly length: number;
  readonly volumes: readonly { readonly name: Buffer; readonly length: number }[];
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
  return await writeNewFile(work.index, async (file) => {
    const encoder = new IndexEncoder();
    await file.append(encoder.catalogue(catalogueColumns(catalogue)));
    const { id } = encoder;
    const finished = await runJob(() => addon.finishVolumes(catalogue, names.map(work.volume), id, jobs));
    const volumes = finished.map((volume, row) => {
      const name = names[row] ?? Buffer.alloc(0);
      return describeVolume(work.volume(name), name, volume);
    });
    await file.append(encoder.end(volumes, metadata));
    await file.replaceHead(encoder.header());
    return { id, length: encoder.length, volumes: volumes.map(({ name, length }) => ({ name, length })) };
  });
}

function describeVolume(path: Buffer, name: Buffer, finished: FinishedVolume): Volume {
  const source = openFileSource(path, 'wrong-volume');
  try {
    const flags = format.volumeHasChecksums | format.volumeByShoal;
    const codec = finished.frames === undefined ? format.codecNone : format.codecZstd;
    return { ...probeVolume(source), name, codec, flags, ...finished };
  } finally {
    source.close();
  }
}
