import { isShoalError, ShoalError } from '../base/errors.ts';
import { entryProblems } from '../image/entry-problem.ts';
import { checkFree, checkReadable, checkRequest, lstatOf } from './check-request.ts';
import { isWorthKeeping, loadPlannedRun, requestText } from './checkpoints.ts';
import { finishPublished } from './finish-published.ts';
import { firstFiles } from './free-names.ts';
import { planOptions, possibleNamings } from './layout.ts';
import { makeImage } from './make-image.ts';
import { outputPaths } from './output-paths.ts';
import { packMetadata } from './pack-metadata.ts';
import { optionsThatMatter, type PackOptions } from './pack-options.ts';
import { packSlices } from './pack-slices.ts';
import { imageSummary, type PackSummary } from './pack-summary.ts';
import { checkNoSlices } from './slice-images.ts';
import { removeSources, toldRemoval } from './source-removal.ts';
import { checkPart } from './tree-part.ts';
import { walkSources } from './walk-sources.ts';
import { withWorkDirectory } from './with-work-directory.ts';
import type { WorkDirectory } from './work-directory.ts';

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
  const { removeSource = false, resume = false, maxExtra } = options;
  checkForce(force, removeSource, resume);
  const trees = sources.map((source) => Buffer.from(source));
  const paths = outputPaths(Buffer.from(output));
  const stored = packMetadata(metadata, trees, provenance);
  if (options.part !== undefined) checkPart(options.part);
  const { orderFile } = planOptions(options, 0);
  const firstOutputs = firstFiles(paths, possibleNamings(paths, options));
  if (maxExtra !== undefined) return await packSlices(trees, paths, stored, jobs, { ...options, maxExtra });
  if (resume && (await lstatOf(paths.index)) !== undefined) {
    return await finishPublished(trees, paths, removeSource, jobs, options);
  }
  await checkRequest(trees, paths, firstOutputs);
  await checkNoSlices(paths);
  if (orderFile !== undefined) await checkReadable(orderFile);

  const pack = async (work: WorkDirectory): Promise<PackSummary> => {
    await checkFree(firstOutputs, force);
    const request = await requestText(trees, optionsThatMatter(options));
    const planned = resume ? await loadPlannedRun(work, request) : undefined;
    const walked = planned ?? (await walkSources(trees, jobs, options));
    const order = { sources: trees, paths, metadata: stored, request, isBegun: planned !== undefined };
    const { packed, plan, index, unreadable, comparison } = await makeImage(walked, order, work, jobs, options);
    const removed = comparison && toldRemoval(await removeSources(comparison, jobs, options));
    return {
      ...imageSummary(paths.index, packed, plan, index),
      excluded: walked.excluded,
      skipped: entryProblems(walked.skipped),
      notices: entryProblems(walked.notices),
      unreadable: entryProblems(unreadable),
      ...(removed && { removed }),
    };
  };
  return await withWorkDirectory(paths, pack, { resume, keeping: keepBegun });
}

async function keepBegun(work: WorkDirectory, error: unknown): Promise<{ hint?: string } | undefined> {
  if (!(await isWorthKeeping(work, error))) return undefined;
  if (isShoalError(error, 'usage')) return {};
  return { hint: 'what was written is kept: the same command with --resume goes on, without it starts over' };
}

function checkForce(force: boolean, removeSource: boolean, resume: boolean): void {
  if (!force || !(removeSource || resume)) return;
  throw new ShoalError(
    'usage',
    `expected --force without --${removeSource ? 'remove-source' : 'resume'}: the image that it replaces may be the only copy of what was packed before; give another name`,
  );
}
