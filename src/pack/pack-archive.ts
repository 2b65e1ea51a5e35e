import { ShoalError } from '../base/errors.ts';
import { entryProblems } from '../image/entry-problem.ts';
import { loadAddon } from '../native/load.ts';
import { runJob } from '../native/run-job.ts';
import { keepArchive, openArchive } from './archive-source.ts';
import { checkDirectory, checkFree, checkNoSource, checkReadable } from './check-request.ts';
import { firstFiles, freeVolumeNames } from './free-names.ts';
import { compressionLevel, type Layout, planOptions, volumeNaming } from './layout.ts';
import { finishImage } from './make-image.ts';
import { outputPaths } from './output-paths.ts';
import { packMetadata } from './pack-metadata.ts';
import type { PackOptions } from './pack-options.ts';
import { imageSummary, type PackSummary } from './pack-summary.ts';
import { withWorkDirectory } from './with-work-directory.ts';

/** What does not concern the walk of a tree, nor files that can be read one by one: copies are those that the archive has, and `compress` is not `auto`. */
export type ArchiveOptions = Omit<Layout, 'dedupe'> &
  Pick<PackOptions, 'onProgress' | 'signal' | 'force' | 'jobs' | 'metadata' | 'provenance'>;

/**
 * Makes the image of the tree in a zip, or in a tar, which may be compressed (gzip, bzip2, xz, zstd, lz4: by the program of that name), without unpacking it. The image is
 * byte for byte the one that {@link packTree} makes of the extracted tree, where extraction can keep all metadata.
 *
 * The archive is read twice, once for its headers and once for its content. One that comes as a stream is kept, compressed as it is, beside the image meanwhile.
 * Members that have no place in a tree are told in `skipped`, as {@link indexArchive} does.
 *
 * @throws ShoalError as {@link packTree}; `unsupported` for another kind of archive, or where the program to decompress it is missing; `malformed`, `checksum`,
 * `truncated` where it is damaged.
 *
 * @example
 * ```ts
 * const { skipped } = await packArchive('photos.tar.gz', 'photos.shoal');
 * ```
 */
export async function packArchive(
  archive: string | Buffer | AsyncIterable<Uint8Array>,
  output: string | Buffer,
  options: ArchiveOptions = {},
): Promise<PackSummary> {
  const { force = false, jobs = 0, metadata = {}, provenance = false } = options;
  const isFile = typeof archive === 'string' || Buffer.isBuffer(archive);
  const sources = isFile ? [Buffer.from(archive)] : [];
  const paths = outputPaths(Buffer.from(output));
  const stored = packMetadata(metadata, isFile ? sources : [Buffer.from('-')], provenance);
  const level = archiveLevel(options);
  const layout = planOptions(options, level);
  const naming = volumeNaming(paths, options, level > 0);
  const firstOutputs = firstFiles(paths, [naming]);
  await checkDirectory(paths.directory);
  await checkNoSource(sources, firstOutputs);
  if (layout.orderFile !== undefined) await checkReadable(layout.orderFile);

  const { scanArchive, planVolumes, writeArchive } = loadAddon();
  return await withWorkDirectory(paths, async (work) => {
    await checkFree(firstOutputs, force);
    const input = isFile
      ? openArchive(Buffer.from(archive))
      : await keepArchive(archive, work.volume(Buffer.from('archive')), 'standard input', options);
    try {
      const scanned = await runJob((counters) => scanArchive(input, counters), options);
      const { catalogue } = scanned;
      const plan = await runJob(() => planVolumes(catalogue, layout, jobs));
      const names = await freeVolumeNames(naming, plan.volumeLengths.length, paths, sources, force);
      const volumes = names.map(work.volume);
      await runJob((counters) => writeArchive(catalogue, input, volumes, jobs, counters), options);
      input.checkSame();
      const written = { packed: scanned, plan, names, naming };
      const order = { paths, metadata: stored, removeSource: false };
      const { index } = await finishImage(written, order, work, jobs, options);
      return {
        ...imageSummary(paths.index, scanned, plan, index),
        excluded: 0,
        skipped: entryProblems(scanned.skipped),
        notices: [],
        unreadable: [],
      };
    } finally {
      input.close();
    }
  });
}

function archiveLevel(options: ArchiveOptions): number {
  const level = compressionLevel(options);
  if (level !== 'auto') return level;
  throw new ShoalError(
    'usage',
    'expected --compress none or zstd for an archive, found auto: content in an archive cannot be looked at before it is read; say which',
  );
}
