import { isShoalError, ShoalError } from '../base/errors.ts';
import type { Metadata } from '../format/metadata.ts';
import { entryProblems } from '../image/entry-problem.ts';
import type { WalkResult } from '../native/addon.ts';
import { loadAddon } from '../native/load.ts';
import { type JobOptions, runJob, throwIfCancelled } from '../native/run-job.ts';
import { buildIndex } from './build-index.ts';
import { checkFree, checkReadable, checkRequest, lstatOf } from './check-request.ts';
import { defaultInterval, hasCheckpoints, loadPlannedRun, requestText } from './checkpoints.ts';
import { finishPublished } from './finish-published.ts';
import { firstFiles, freeVolumeNames } from './free-names.ts';
import { compressionLevel, decideLevel, type Layout, layoutOf, planOptions, volumeNaming } from './layout.ts';
import { outputPaths } from './output-paths.ts';
import { packMetadata } from './pack-metadata.ts';
import { imageSummary, type PackSummary } from './pack-summary.ts';
import { publishImage } from './publish.ts';
import { readBack } from './read-back.ts';
import { type Selection, walkOptions } from './selection.ts';
import { removeSources } from './source-removal.ts';
import { checkPart, keepPart, type TreePart } from './tree-part.ts';
import { claimWorkDirectory } from './work-directory.ts';
import { writeReadable } from './write-readable.ts';

export interface PackOptions extends JobOptions, Selection, Layout {
  /** Replaces an image that exists. */
  readonly force?: boolean | undefined;
  /** Threads. Default: one for each processor, and more as long as they mostly wait for storage. */
  readonly jobs?: number | undefined;
  /**
   * Packs this share of the trees only: all directories, and of the rest what the hash of its path says. The images of all parts, merged, hold the
   * trees as one image would.
   */
  readonly part?: TreePart | undefined;
  /** Free keys and values to store in the image. */
  readonly metadata?: Metadata | undefined;
  /** Stores source, host, time and command; the image then differs from run to run. */
  readonly provenance?: boolean | undefined;
  /** Removes from the sources what was read back from the published image and compared. */
  readonly removeSource?: boolean | undefined;
  /** Goes on where a run that was stopped got to. Where the image is there already, that is removing its sources, or nothing. */
  readonly resume?: boolean | undefined;
  /** Seconds after which what was written is made durable each time, so that `resume` can go on from there. Default: 10. */
  readonly checkpoint?: number | undefined;
}

/**
 * Packs trees into the image whose index is `output` (`NAME.shoal`; the volume `NAME.tar`, or several, lie beside it). One directory: its contents are the
 * root. Several sources, or a file: each stands under its base name.
 *
 * The image appears under its name only when it is complete, synced, and was read back; otherwise nothing stays, and what a killed run leaves
 * is removed by the next one.
 *
 * @throws ShoalError `usage`, `missing`, `exists`, `permission` for mistakes in the request, before any work; `busy` where another run makes the
 * same image; `unreadable`, `missing` or `changed` with all such entries in `problems`; `cancelled`; `io`.
 *
 * @example
 * ```ts
 * const { entries, skipped } = await packTree(['photos'], 'photos.shoal', {
 *   metadata: { licence: 'CC0' },
 *   onProgress: ({ bytesDone, bytesTotal }) => console.log(bytesDone, bytesTotal),
 * });
 * ```
 */
export async function packTree(
  sources: readonly (string | Buffer)[],
  output: string | Buffer,
  options: PackOptions = {},
): Promise<PackSummary> {
  const { force = false, jobs = 0, metadata = {}, provenance = false } = options;
  const { removeSource = false, resume = false } = options;
  checkForce(force, removeSource, resume);
  const trees = sources.map((source) => Buffer.from(source));
  const paths = outputPaths(Buffer.from(output));
  const stored = packMetadata(metadata, trees, provenance);
  if (options.part !== undefined) checkPart(options.part);
  const asked = compressionLevel(options);
  const { orderFile } = planOptions(options, 0);
  if (resume && (await lstatOf(paths.index)) !== undefined) {
    return await finishPublished(trees, paths, removeSource, jobs, options);
  }
  const namings = (asked === 'auto' ? [false, true] : [asked > 0]).map((is) => volumeNaming(paths, options, is));
  const firstOutputs = firstFiles(paths, namings);
  await checkRequest(trees, paths, firstOutputs);
  if (orderFile !== undefined) await checkReadable(orderFile);

  const work = await claimWorkDirectory(paths, resume);
  let keep = false;
  try {
    await checkFree(firstOutputs, force);
    const request = await requestText(trees, {
      ...walkOptions([], 0, options),
      ...layoutOf(options),
      part: options.part,
    });
    const planned = resume ? await loadPlannedRun(work, request) : undefined;
    const walked = planned ?? (await walkSources(trees, jobs, options));
    const level = await decideLevel(walked.catalogue, options, options);
    const checkpoint = options.checkpoint ?? defaultInterval;
    const how = { level, request, resume: planned !== undefined, checkpoint };
    const naming = volumeNaming(paths, options, level > 0);
    const name = (count: number) => freeVolumeNames(naming, count, paths, trees, force);
    const { packed, plan, names, unreadable } = await writeReadable(walked, how, name, work, jobs, options);
    const index = await buildIndex(packed.catalogue, names, stored, work, jobs);
    const comparison = await readBack(work, packed, removeSource, jobs, options);
    throwIfCancelled(options.signal);
    await work.checkOwn();
    await publishImage(work, paths, naming, names.length, force);
    const removed = comparison && (await removeSources(comparison, jobs, options));
    return {
      ...imageSummary(paths.index, packed, plan, index),
      excluded: walked.excluded,
      skipped: entryProblems(walked.skipped),
      notices: entryProblems(walked.notices),
      unreadable: entryProblems(unreadable),
      ...(removed && { removed }),
    };
  } catch (error) {
    keep = isShoalError(error, 'io', 'cancelled', 'usage') && (await hasCheckpoints(work));
    throw keep && !isShoalError(error, 'usage') ? withHint(work.named(error)) : work.named(error);
  } finally {
    await work.release(keep);
  }
}

async function walkSources(trees: readonly Buffer[], jobs: number, options: PackOptions): Promise<WalkResult> {
  const whole = await runJob((counters) => loadAddon().walk(walkOptions(trees, jobs, options), counters), options);
  return { ...whole, ...(options.part && (await keepPart(whole.catalogue, options.part))) };
}

/** Says how a run that has kept what it wrote is gone on with. */
function withHint(error: unknown): unknown {
  if (!(error instanceof ShoalError)) return error;
  const { code, message, path, offset, problems, cause } = error;
  const hint = `${message}; what was written is kept: the same command with --resume goes on, without it starts over`;
  return new ShoalError(code, hint, {
    ...(path !== undefined && { path }),
    ...(offset !== undefined && { offset }),
    problems,
    cause,
  });
}

function checkForce(force: boolean, removeSource: boolean, resume: boolean): void {
  if (!force || !(removeSource || resume)) return;
  throw new ShoalError(
    'usage',
    `expected --force without --${removeSource ? 'remove-source' : 'resume'}: the image that it replaces may be the only copy of what was packed before; give another name`,
  );
}
