import { availableParallelism } from 'node:os';
import { codecNone, pieceLength, volumeByShoal, volumeHasChecksums } from '../format/constants.ts';
import type { Metadata } from '../format/metadata.ts';
import { assembleIndex, encodeCatalogue } from '../format/write-index.ts';
import { type EntryProblem, entryProblems } from '../image/entry-problem.ts';
import type { NativeSurvey, WalkResult } from '../native/addon.ts';
import { loadAddon } from '../native/load.ts';
import { type JobOptions, runJob } from '../native/run-job.ts';
import { checkFree, checkRequest, checkSources } from './check-request.ts';
import { outputPaths } from './output-paths.ts';
import { packMetadata } from './pack-metadata.ts';
import { type Selection, walkOptions } from './selection.ts';

export interface PreviewOptions extends JobOptions, Selection {
  /** Where the image is to lie; then it is checked whether it may. */
  readonly output?: string | Buffer | undefined;
  readonly force?: boolean | undefined;
  readonly jobs?: number | undefined;
  readonly metadata?: Metadata | undefined;
  readonly provenance?: boolean | undefined;
}

/** What {@link packTree} would make, and of what. */
export interface PackPreview {
  readonly entries: number;
  /** Entries by kind; a root that is made up for several sources is not among them. */
  readonly kinds: Omit<NativeSurvey, 'inodes'>;
  /** Bytes of files' content, holes included; a file with several names counts once. */
  readonly bytes: number;
  /** Inodes that removing what is packed would free. */
  readonly inodes: number;
  /** Inodes that the image takes: its files. */
  readonly imageInodes: number;
  readonly volumeLength: number;
  readonly indexLength: number;
  readonly excluded: number;
  readonly skipped: readonly EntryProblem[];
  readonly notices: readonly EntryProblem[];
  /** What would be left out with `skipUnreadable`; without it, nothing would be packed because of it. */
  readonly unreadable: readonly EntryProblem[];
}

/**
 * Walks the sources as {@link packTree} does, and tells what it would make of them, as long as nothing changes. Reads no file, and writes nothing.
 *
 * @throws ShoalError for mistakes in the request, as packTree does.
 *
 * @example
 * ```ts
 * const { entries, inodes, imageInodes } = await previewPack(['photos'], { exclude: ['*.tmp'] });
 * console.log(`${entries} entries; frees ${inodes - imageInodes} inodes`);
 * ```
 */
export async function previewPack(
  sources: readonly (string | Buffer)[],
  options: PreviewOptions = {},
): Promise<PackPreview> {
  const { output, force = false, jobs = availableParallelism(), metadata = {}, provenance = false } = options;
  const trees = sources.map((source) => Buffer.from(source));
  const paths = outputPaths(Buffer.from(output ?? 'image.shoal'));
  const stored = packMetadata(metadata, trees, provenance);
  if (output === undefined) await checkSources(trees);
  else {
    await checkRequest(trees, paths);
    await checkFree(paths, force);
  }
  const walked = await runJob(
    (counters) => loadAddon().walk(walkOptions(trees, jobs, options, true), counters),
    options,
  );
  const { inodes, ...kinds } = walked.survey;
  return {
    entries: walked.entries,
    kinds,
    bytes: walked.bytes,
    inodes,
    imageInodes: 2,
    volumeLength: walked.volumeLength,
    indexLength: indexLength(walked, paths.volumeName, stored),
    excluded: walked.excluded,
    skipped: entryProblems(walked.skipped),
    notices: entryProblems(walked.notices),
    unreadable: entryProblems(walked.unreadable),
  };
}

/** The index is made in memory, with checksums that are not known yet. */
function indexLength({ catalogue, volumeLength }: WalkResult, volumeName: Buffer, metadata: Metadata): number {
  const encoded = encodeCatalogue(loadAddon().catalogueColumns(catalogue));
  const volume = {
    name: volumeName,
    length: volumeLength,
    codec: codecNone,
    flags: volumeHasChecksums | volumeByShoal,
    headChecksum: 0,
    tailChecksum: 0,
    pieces: new Uint32Array(Math.ceil(volumeLength / pieceLength)),
  };
  return assembleIndex(encoded, [volume], metadata).length;
}
