import { statSync } from 'node:fs';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { version } from '../base/version.ts';
import { IndexEncoder } from '../format/index-encoder.ts';
import { type EntryProblem, entryProblems } from '../image/entry-problem.ts';
import { type FileWriter, writeFileAtomically } from '../io/atomic-file.ts';
import type { ByteSource } from '../io/byte-source.ts';
import { openFileSource } from '../io/file-source.ts';
import type { JobOptions } from '../native/run-job.ts';
import { archiveVolume } from './archive-volume.ts';
import { checkImagePath, defaultImagePath } from './image-path.ts';
import { isShoalVolume } from './tar/is-shoal-volume.ts';
import { readTar, type TarContents } from './tar/read-tar.ts';

export interface IndexOptions extends JobOptions {
  /** Where the index goes; needed for several volumes. Default: beside the archive, `x.shoal` for a volume `x.tar` or `x.tar.zst` that Shoal wrote, `NAME.shoal` for any other archive `NAME`. */
  readonly output?: string | Buffer | undefined;
  /** Whether an index that is there gives way. Default false. */
  readonly force?: boolean | undefined;
}

export interface IndexSummary {
  /** The index that was written. */
  readonly image: Buffer;
  /** 32 hexadecimal digits: docs/FORMAT.md §5. */
  readonly id: string;
  /** The root included. */
  readonly entries: number;
  /** Bytes of content of files, aliases not counted again. */
  readonly bytes: number;
  /** Length of the index in bytes. */
  readonly indexLength: number;
  /** Members of the archive that the image lacks, because they have no place in a tree. */
  readonly skipped: readonly EntryProblem[];
}

/**
 * Makes the index of an archive, which stays as it is and must stay where it is: files of the image are read from it in place. A volume that Shoal
 * wrote gives the image that it was packed as; of an image with several volumes all are given, in any order, with `output`.
 *
 * Throws `missing`, `permission`, `exists`, `usage` before any work; `unsupported` for anything but a tar in one file,
 * uncompressed or as zstd frames of one length with a seek table behind them; `malformed`, `checksum`, `truncated`
 * where the archive is damaged; `changed` if something wrote to it meanwhile.
 *
 * @example
 * ```ts
 * const { image, skipped } = await indexArchive('/archive/photos.tar', { output: 'photos.shoal' });
 * ```
 */
export async function indexArchive(
  paths: string | Buffer | readonly (string | Buffer)[],
  options: IndexOptions = {},
): Promise<IndexSummary> {
  const archives = (isList(paths) ? paths : [paths]).map((path) => Buffer.from(path));
  const sources: ByteSource[] = [];
  try {
    for (const archive of archives) sources.push(openFileSource(archive, 'unsupported'));
    const before = archives.map(stateOf);
    const image = imageOf(archives, sources, options);
    for (const archive of archives) checkImagePath(image, archive, options.force === true);

    const contents = await readTar(archives, options);
    const encoder = new IndexEncoder();
    const write = async (file: FileWriter) => {
      await file.append(encoder.catalogue(contents.columns));
      checkId(archives, contents, encoder.id);
      const volumes = contents.volumes.map(({ archive, pieces, frames }) =>
        archiveVolume(sources[archive] as ByteSource, archives[archive] as Buffer, image, {
          hasChecksums: contents.columns.hasChecksums,
          byShoal: contents.id !== undefined,
          pieces,
          frames,
        }),
      );
      await file.append(encoder.end(volumes, { 'shoal.version': version }));
      await file.replaceHead(encoder.header());
      archives.forEach((archive, number) => {
        if (stateOf(archive) === before[number]) return;
        const message = 'the archive changed while it was read; index it again when nothing writes to it';
        throw new ShoalError('changed', message, { path: showBytes(archive) });
      });
    };
    await writeFileAtomically(image, write, { replace: options.force === true });
    const { entries, bytes, skipped } = contents;
    const id = encoder.id.toString('hex');
    return { image, id, entries, bytes, indexLength: encoder.length, skipped: entryProblems(skipped) };
  } finally {
    for (const source of sources) source.close();
  }
}

function isList(paths: string | Buffer | readonly (string | Buffer)[]): paths is readonly (string | Buffer)[] {
  return Array.isArray(paths);
}

function imageOf(archives: readonly Buffer[], sources: readonly ByteSource[], options: IndexOptions): Buffer {
  if (options.output !== undefined) return Buffer.from(options.output);
  const [archive, ...others] = archives;
  const [source] = sources;
  if (archive === undefined || source === undefined) throw new ShoalError('usage', 'expected an archive, found none');
  if (others.length > 0) {
    throw new ShoalError('usage', 'expected a name for the index of several volumes, found none; give an output');
  }
  return defaultImagePath(archive, isShoalVolume(source));
}

/** Volumes that Shoal wrote must give the entries that they were packed as. */
function checkId(archives: readonly Buffer[], contents: TarContents, id: Buffer): void {
  if (contents.id === undefined || contents.id.equals(id)) return;
  const [archive] = archives;
  const what = archives.length > 1 ? 'a volume is damaged, or was' : 'the volume is damaged, or was';
  const message =
    `expected the entries of image ${contents.id.toString('hex')}, found those of ${id.toString('hex')}: ` +
    `${what} changed after Shoal wrote it; extract it with tar and pack it anew`;
  throw new ShoalError('checksum', message, { ...(archive !== undefined && { path: showBytes(archive) }), offset: 0 });
}

/** What changes when a file is written to. */
function stateOf(path: Buffer): string {
  const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true });
  return [dev, ino, size, mtimeNs].join();
}
