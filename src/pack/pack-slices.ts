import { stat } from 'node:fs/promises';
import { showBytes } from '../base/entry-path.ts';
import { isShoalError, ShoalError } from '../base/errors.ts';
import type { Metadata } from '../format/metadata.ts';
import { entryProblems } from '../image/entry-problem.ts';
import { temporaryBeside } from '../io/atomic-file.ts';
import { loadAddon } from '../native/load.ts';
import type { NativeSlice, WalkResult } from '../native/packing.ts';
import type { NativeProblem } from '../native/problem.ts';
import { runJob } from '../native/run-job.ts';
import { checkFree, checkRequest, lstatOf } from './check-request.ts';
import { hasPlan, isWorthKeeping, loadPlannedRun, requestText, savePlannedRun } from './checkpoints.ts';
import { finishPublished, publishedSummary } from './finish-published.ts';
import { firstFiles } from './free-names.ts';
import { possibleNamings } from './layout.ts';
import { type MadeImage, makeImage } from './make-image.ts';
import { joinImages } from './merge-images.ts';
import type { OutputPaths } from './output-paths.ts';
import { optionsThatMatter, type PackOptions } from './pack-options.ts';
import type { PackSummary } from './pack-summary.ts';
import { hasSlice, removeSliceIndexes, slicePaths } from './slice-images.ts';
import { SliceRemovals } from './slice-removals.ts';
import { throwProblems } from './source-problems.ts';
import { existingSources, type RemovedOnce, removeRemaining, removeSources } from './source-removal.ts';
import { walkSources } from './walk-sources.ts';
import { withWorkDirectory } from './with-work-directory.ts';
import type { WorkDirectory } from './work-directory.ts';

type SlicedOptions = PackOptions & { readonly maxExtra: number };

/** What a run of slices goes by. */
interface SlicedRun {
  readonly trees: readonly Buffer[];
  readonly paths: OutputPaths;
  readonly metadata: Metadata;
  readonly request: string;
  readonly jobs: number;
  readonly options: SlicedOptions;
}

/**
 * Packs, compares and removes one slice of the trees after the other. Each slice becomes an image of its own, `NAME-00000.shoal`, …, by the same steps as any other: so
 * whatever was removed is in an image that is whole and published, wherever the run is stopped. At the end one index over their volumes takes the place of theirs.
 * A file that has changed since the walk is left out, and stays.
 */
export async function packSlices(
  trees: readonly Buffer[],
  paths: OutputPaths,
  metadata: Metadata,
  jobs: number,
  options: SlicedOptions,
): Promise<PackSummary> {
  const { resume = false } = options;
  checkOptions(options);
  if (resume && (await lstatOf(paths.index)) !== undefined) {
    await removeSliceIndexes(paths);
    return await finishPublished(trees, paths, true, jobs, options);
  }
  // Slices that are done may have been all that there was.
  const remaining = resume && (await hasSlice(paths, 0)) ? await existingSources(trees) : trees;
  if (remaining.length > 0) await checkRequest(remaining, paths, [paths.index]);
  await checkFree([paths.index], false);
  if (!resume) await checkFree(outputsOf(paths, 0, options), false);

  const keeping = async (work: WorkDirectory, error: unknown) => await keepSlices(paths, work, resume, error);
  const pack = async (work: WorkDirectory): Promise<PackSummary> => {
    const request = await requestText(trees, optionsThatMatter(options));
    const run: SlicedRun = { trees, paths, metadata, request, jobs, options };
    const planned = resume ? await loadPlannedRun(work, request) : undefined;
    if (planned === undefined) await checkNothingDone(paths);
    const walked = planned ?? (await walkForSlices(run));
    if (planned === undefined) await savePlannedRun(work, request, walked);
    const { maxExtra, volumeSize = 0 } = options;
    const limits = { maxExtra, volumeSize, beside: (await stat(work.plan)).size };
    const slices = await runJob(() => loadAddon().planSlices(walked.catalogue, limits, jobs));
    if (planned === undefined)
      await checkFree(
        slices.flatMap((_, number) => outputsOf(paths, number, options)),
        false,
      );

    const done = await packAndRemove(run, walked, slices, planned !== undefined);
    await work.checkOwn();
    const indexes = slices.map((_, number) => slicePaths(paths, number).index);
    const merged = await joinImages(indexes, paths, {
      ...options,
      force: false,
      remove: [],
      keepsVolumes: true,
      temporary: temporaryBeside(work.index),
      metadata: () => metadata,
    });
    await removeSliceIndexes(paths);
    return {
      ...(await publishedSummary(paths)),
      bytes: merged.bytes,
      inodes: walked.survey.inodes,
      dedupedBytes: done.dedupedBytes,
      excluded: walked.excluded,
      skipped: entryProblems(walked.skipped),
      notices: entryProblems(walked.notices),
      unreadable: entryProblems([...walked.unreadable, ...done.leftOut]),
      removed: await done.removals.total(),
    };
  };
  return await withWorkDirectory(paths, pack, { resume, keeping });
}

interface DoneSlices {
  readonly removals: SliceRemovals;
  readonly leftOut: readonly NativeProblem[];
  readonly dedupedBytes: number;
}

async function packAndRemove(
  run: SlicedRun,
  walked: WalkResult,
  slices: readonly NativeSlice[],
  resume: boolean,
): Promise<DoneSlices> {
  const { paths, jobs, options } = run;
  const removals = new SliceRemovals();
  const leftOut: NativeProblem[] = [];
  let dedupedBytes = 0;
  for (const [number, slice] of slices.entries()) {
    // Of those that were packed only the last one may not have been removed.
    if (await hasSlice(paths, number + 1)) continue;
    if (await hasSlice(paths, number)) {
      removals.add(await finishSlice(run, slicePaths(paths, number)));
      continue;
    }
    await checkExtra(slice, removals, options.maxExtra);
    const { unreadable, plan, comparison } = await packSlice(run, walked, slice, number, resume);
    leftOut.push(...unreadable);
    dedupedBytes += plan.copiedBytes;
    if (comparison !== undefined) removals.add(await removeSources(comparison, jobs, options));
  }
  return { removals, leftOut, dedupedBytes };
}

/** Removes what is left of a slice that is packed, and what the run left that packed it. */
async function finishSlice({ trees, jobs, options }: SlicedRun, paths: OutputPaths): Promise<RemovedOnce> {
  return await withWorkDirectory(paths, async () => await removeRemaining(trees, paths.index, true, jobs, options));
}

async function packSlice(
  run: SlicedRun,
  walked: WalkResult,
  slice: NativeSlice,
  number: number,
  resume: boolean,
): Promise<MadeImage> {
  const paths = slicePaths(run.paths, number);
  const request = JSON.stringify({ whole: run.request, first: slice.first, end: slice.end });
  const keeping = async (work: WorkDirectory, error: unknown) => ((await isWorthKeeping(work, error)) ? {} : undefined);
  const pack = async (work: WorkDirectory) => {
    await checkFree(outputsOf(run.paths, number, run.options), false);
    const begun = resume ? await loadPlannedRun(work, request) : undefined;
    const taken = begun ?? (await runJob(() => loadAddon().takeSlice(walked.catalogue, slice)));
    const report = { excluded: 0, skipped: [], notices: [], unreadable: begun?.unreadable ?? [] };
    const order = { sources: run.trees, paths, metadata: run.metadata, request, isBegun: begun !== undefined };
    return await makeImage({ ...taken, ...report }, order, work, run.jobs, optionsOfSlice(run.options));
  };
  return await withWorkDirectory(paths, pack, { resume, keeping });
}

/** What a slice's image is to be called, whatever its compression is decided to be. */
function outputsOf(paths: OutputPaths, slice: number, options: PackOptions): Buffer[] {
  const ofSlice = slicePaths(paths, slice);
  return firstFiles(ofSlice, possibleNamings(ofSlice, optionsOfSlice(options)));
}

/** A slice has one volume, and what has changed is no reason to stop: the slices before cannot be made anew. */
function optionsOfSlice(options: PackOptions): PackOptions {
  return { ...options, volumeSize: undefined, skipUnreadable: true };
}

async function walkForSlices({ trees, jobs, options }: SlicedRun): Promise<WalkResult> {
  const walked = await walkSources(trees, jobs, options, { testsAccess: true, measuresSpace: true });
  if (options.skipUnreadable !== true) throwProblems(walked.unreadable);
  return walked;
}

/** What stays though it is in the image takes space twice. */
async function checkExtra({ extra }: NativeSlice, removals: SliceRemovals, maxExtra: number): Promise<void> {
  const kept = await removals.keptBytes();
  if (extra + kept <= maxExtra) return;
  throw new ShoalError(
    'changed',
    `expected to take at most ${maxExtra} bytes beyond what the sources took, found that the next slice would make it ${extra + kept}, because files changed and stay; move them elsewhere`,
  );
}

async function keepSlices(
  paths: OutputPaths,
  work: WorkDirectory,
  resume: boolean,
  error: unknown,
): Promise<{ hint?: string } | undefined> {
  if (await hasSlice(paths, 0)) {
    const first = showBytes(slicePaths(paths, 0).index);
    return {
      hint: `what was packed and removed is in ${first} and those behind it; the same command with --resume goes on`,
    };
  }
  const isKept = isShoalError(error, 'usage') ? resume : isShoalError(error, 'io', 'cancelled');
  return isKept && (await hasPlan(work)) ? {} : undefined;
}

/** Throws where slices were packed by a plan that is gone. */
async function checkNothingDone(paths: OutputPaths): Promise<void> {
  if (!(await hasSlice(paths, 0))) return;
  throw new ShoalError(
    'missing',
    `expected the plan by which ${showBytes(slicePaths(paths, 0).index)} and those behind it were packed, found none. They are whole images: pack what is left under another name, and merge them with it`,
    { path: showBytes(paths.work) },
  );
}

function checkOptions({ removeSource, shardNames, order, samples }: SlicedOptions): void {
  const refuse = (found: string) => {
    throw new ShoalError('usage', `expected ${found}`);
  };
  if (removeSource !== true)
    refuse('--max-extra with --remove-source: without removing anything, packing takes what the image takes');
  if (shardNames !== undefined)
    refuse('--max-extra without --shard-names: each slice is a volume, called NAME-00000.tar and so on');
  if (order !== undefined) refuse('--max-extra without --order: slices are packed in the order of paths');
  if (samples === true) refuse('--max-extra without --samples: a slice may end within a sample');
}
