import type { Metadata } from '../format/metadata.ts';
import type { NativeComparison } from '../native/addon.ts';
import type { PlanResult, WalkedCatalogue, WalkResult } from '../native/packing.ts';
import type { NativeProblem } from '../native/problem.ts';
import { type JobOptions, throwIfCancelled } from '../native/run-job.ts';
import { type BuiltIndex, buildIndex } from './build-index.ts';
import { defaultInterval } from './checkpoints.ts';
import { freeVolumeNames } from './free-names.ts';
import { decideLevel, volumeNaming } from './layout.ts';
import type { OutputPaths } from './output-paths.ts';
import type { PackOptions } from './pack-options.ts';
import { publishImage } from './publish.ts';
import { readBack } from './read-back.ts';
import type { VolumeNaming } from './volume-names.ts';
import type { WorkDirectory } from './work-directory.ts';
import { writeReadable } from './write-readable.ts';

/** What is made of a walk, and where. */
export interface ImageOrder {
  readonly sources: readonly Buffer[];
  readonly paths: OutputPaths;
  /** As it is stored. */
  readonly metadata: Metadata;
  /** What the run was asked for: see {@link file://./checkpoints.ts}. */
  readonly request: string;
  /** Whether a run that was stopped has begun volumes of the walk's catalogue in the work directory. */
  readonly isBegun: boolean;
}

export interface MadeImage {
  /** What is in it. */
  readonly packed: WalkedCatalogue;
  readonly plan: PlanResult;
  readonly index: BuiltIndex;
  /** What is not in it, and directories that are but have changed. */
  readonly unreadable: readonly NativeProblem[];
  /** With the sources, where they are to be removed. */
  readonly comparison: NativeComparison | undefined;
}

/** Writes the image of a walked tree, reads it back, and publishes it. */
export async function makeImage(
  walked: WalkResult,
  { sources, paths, metadata, request, isBegun }: ImageOrder,
  work: WorkDirectory,
  jobs: number,
  options: PackOptions,
): Promise<MadeImage> {
  const { force = false, removeSource = false, checkpoint = defaultInterval } = options;
  const level = await decideLevel(walked.catalogue, options, options);
  const how = { level, request, resume: isBegun, checkpoint };
  const naming = volumeNaming(paths, options, level > 0);
  const name = (count: number) => freeVolumeNames(naming, count, paths, sources, force);
  const { packed, plan, names, unreadable } = await writeReadable(walked, how, name, work, jobs, options);
  const written = { packed, plan, names, naming };
  const order = { paths, metadata, removeSource };
  return { ...(await finishImage(written, order, work, jobs, options)), unreadable };
}

/** Volumes that are written, all but what needs the image's id. */
export interface WrittenVolumes {
  /** What is in them. */
  readonly packed: WalkedCatalogue;
  readonly plan: PlanResult;
  readonly names: readonly Buffer[];
  readonly naming: VolumeNaming;
}

/** Gives them their index, reads the image back, and publishes it. */
export async function finishImage(
  { packed, plan, names, naming }: WrittenVolumes,
  { paths, metadata, removeSource }: Pick<ImageOrder, 'paths' | 'metadata'> & { readonly removeSource: boolean },
  work: WorkDirectory,
  jobs: number,
  options: JobOptions & Pick<PackOptions, 'force'>,
): Promise<Omit<MadeImage, 'unreadable'>> {
  const index = await buildIndex(packed.catalogue, names, metadata, work, jobs);
  const comparison = await readBack(work, packed, removeSource, jobs, options);
  throwIfCancelled(options.signal);
  await work.checkOwn();
  await publishImage(work, paths, naming, names.length, options.force === true);
  return { packed, plan, index, comparison };
}
