import type { Frames } from '../../format/frames.ts';
import type { CatalogueColumns } from '../../native/catalogue.ts';
import { catalogueColumns } from '../../native/catalogue-columns.ts';
import { loadAddon } from '../../native/load.ts';
import type { NativeProblem } from '../../native/problem.ts';
import { type JobOptions, runJob } from '../../native/run-job.ts';

/** The entries of a tar, with extents that point into it. */
export interface TarContents {
  readonly columns: CatalogueColumns;
  readonly entries: number;
  /** Bytes of content of files, aliases not counted again. */
  readonly bytes: number;
  /** Members that have no place in a tree. */
  readonly skipped: readonly NativeProblem[];
  /** Of a volume that Shoal wrote: the image's id in its head. */
  readonly id: Buffer | undefined;
  /** Which of the archives each volume is, CRC32C of each piece of those that Shoal wrote, and where the frames of a compressed one lie. */
  readonly volumes: readonly {
    readonly archive: number;
    readonly pieces: Uint32Array | undefined;
    readonly frames: Frames | undefined;
  }[];
}

/**
 * Reads the headers of a tar, or of the volumes of an image in any order, seeking over the data: uncompressed, or as zstd frames of one length with a seek table behind them. Throws `unsupported` for
 * a file compressed otherwise, another archive or a tar in several volumes,
 * `malformed` for what is no tar, and `malformed`, `checksum` or `truncated` where it is damaged.
 */
export async function readTar(paths: readonly Buffer[], options: JobOptions): Promise<TarContents> {
  const addon = loadAddon();
  const scanned = await runJob((counters) => addon.scanTar(paths, counters), options);
  const { catalogue, entries, bytes, skipped, order, id, pieces, frames } = scanned;
  const columns = catalogueColumns(catalogue);
  const volumes = order.map((archive, volume) => ({ archive, pieces: pieces?.[volume], frames: frames[volume] }));
  return { columns, entries, bytes, skipped, id: id === undefined ? undefined : Buffer.from(id, 'hex'), volumes };
}
