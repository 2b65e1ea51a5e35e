import { codecNone, pieceLength, volumeByShoal, volumeHasChecksums } from '../format/constants.ts';
import { IndexEncoder } from '../format/index-encoder.ts';
import type { Metadata } from '../format/metadata.ts';
import { type EntryProblem, entryProblems } from '../image/entry-problem.ts';
import type { NativeCatalogue } from '../native/catalogue.ts';
import { catalogueColumns } from '../native/catalogue-columns.ts';
import { loadAddon } from '../native/load.ts';
import type { NativeSurvey, PlanResult } from '../native/packing.ts';
import { type JobOptions, runJob } from '../native/run-job.ts';
import { checkFree, checkRequest, checkSources } from './check-request.ts';
import { firstFiles } from './free-names.ts';
import { type Layout, planOptions, volumeNaming } from './layout.ts';
import { outputPaths } from './output-paths.ts';
import { packMetadata } from './pack-metadata.ts';
import { type Selection, walkOptions } from './selection.ts';
import { checkPart, keepPart, type TreePart } from './tree-part.ts';
import { volumeNames } from './volume-names.ts';

export interface PreviewOptions extends JobOptions, Selection, Layout {
  /** Where the image is to lie; then it is checked whether it may. */
  readonly output?: string | Buffer | undefined;
  readonly force?: boolean | undefined;
  readonly jobs?: number | undefined;
  readonly part?: TreePart | undefined;
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
  readonly volumes: number;
  /** Of all volumes together. */
  readonly volumeLength: number;
  readonly indexLength: number;
  readonly excluded: number;
  readonly skipped: readonly EntryProblem[];
  readonly notices: readonly EntryProblem[];
  /** What would be left out with `skipUnreadable`; without it, nothing would be packed because of it. */
  readonly unreadable: readonly EntryProblem[];
  /** Entries that are longer than a volume is to be. */
  readonly oversized: readonly EntryProblem[];
  /** Paths in `order` that no file of the image would have: the first ones, and how many there are. */
  readonly strays: { readonly first: readonly Buffer[]; readonly count: number };
}

/**
 * Walks the sources as {@link packTree} does, and tells what it would make of them, as long as nothing changes. Reads no file, but with `dedupe`, and writes nothing.
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
  const { output, force = false, jobs = 0, metadata = {}, provenance = false } = options;
  const trees = sources.map((source) => Buffer.from(source));
  const paths = outputPaths(Buffer.from(output ?? 'image.shoal'));
  const stored = packMetadata(metadata, trees, provenance);
  if (options.part !== undefined) checkPart(options.part);
  const naming = volumeNaming(paths, options, false);
  const layout = planOptions(options, 0);
  const { walk, findCopies, planVolumes } = loadAddon();
  if (output === undefined) await checkSources(trees);
  else {
    const firstOutputs = firstFiles(paths, [naming]);
    await checkRequest(trees, paths, firstOutputs);
    await checkFree(firstOutputs, force);
  }
  const whole = await runJob(
    (counters) => walk(walkOptions(trees, jobs, options, { testsAccess: true }), counters),
    options,
  );
  const walked = { ...whole, ...(options.part && (await keepPart(whole.catalogue, options.part))) };
  const { catalogue } = walked;
  if (options.dedupe === true) await runJob((counters) => findCopies(catalogue, jobs, counters), options);
  const plan = await runJob(() => planVolumes(catalogue, layout, jobs));
  const names = volumeNames(naming, plan.volumeLengths.length);
  const { inodes, ...kinds } = walked.survey;
  return {
    entries: walked.entries,
    kinds,
    bytes: walked.bytes,
    inodes,
    imageInodes: names.length + 1,
    volumes: names.length,
    volumeLength: plan.volumeLengths.reduce((sum, length) => sum + length, 0),
    indexLength: indexLength(catalogue, plan, names, stored),
    excluded: walked.excluded,
    skipped: entryProblems(walked.skipped),
    notices: entryProblems(walked.notices),
    unreadable: entryProblems(walked.unreadable),
    oversized: entryProblems(plan.oversized),
    strays: { first: plan.strays, count: plan.strayCount },
  };
}

/** The index is made, part by part, with checksums that are not known yet. */
function indexLength(
  catalogue: NativeCatalogue,
  plan: PlanResult,
  names: readonly Buffer[],
  metadata: Metadata,
): number {
  const volumes = names.map((name, row) => {
    const length = plan.volumeLengths[row] ?? 0;
    return {
      name,
      length,
      codec: codecNone,
      flags: volumeHasChecksums | volumeByShoal,
      headChecksum: 0,
      tailChecksum: 0,
      pieces: new Uint32Array(Math.ceil(length / pieceLength)),
    };
  });
  const encoder = new IndexEncoder();
  let length = 0;
  for (const part of encoder.catalogue(catalogueColumns(catalogue))) length += part.length;
  for (const part of encoder.end(volumes, metadata)) length += part.length;
  return length;
}
