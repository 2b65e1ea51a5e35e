import type { Frames } from '../../format/frames.ts';
import type { CatalogueColumns, NativeProblem } from '../../native/addon.ts';
import { loadAddon } from '../../native/load.ts';
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
  /** Likewise: CRC32C of each piece. */
  readonly pieces: Uint32Array | undefined;
  /** Where the frames of a compressed volume lie. */
  readonly frames: Frames | undefined;
}

/**
 * Reads the headers of a tar, seeking over the data: of an uncompressed one, or one as zstd frames of one length with a seek table behind them. Throws `unsupported` for
 * a file compressed otherwise, another archive or a tar in several volumes,
 * `malformed` for what is no tar, and `malformed`, `checksum` or `truncated` where it is damaged.
 */
export async function readTar(path: Buffer, options: JobOptions): Promise<TarContents> {
  const addon = loadAddon();
  const scanned = await runJob((counters) => addon.scanTar(path, counters), options);
  const { catalogue, entries, bytes, skipped, id, pieces, frames } = scanned;
  const columns = addon.catalogueColumns(catalogue);
  return {
    columns,
    entries,
    bytes,
    skipped,
    id: id === undefined ? undefined : Buffer.from(id, 'hex'),
    pieces,
    frames,
  };
}
