import { unlink } from 'node:fs/promises';
import { systemCode } from '../io/system-error.ts';
import { loadAddon } from '../native/load.ts';
import type { PlanResult, WalkedCatalogue, WalkResult } from '../native/packing.ts';
import type { NativeProblem } from '../native/problem.ts';
import { type JobOptions, runJob } from '../native/run-job.ts';
import { checkpointsOf, forgetCheckpoints } from './checkpoints.ts';
import { type Layout, planOptions } from './layout.ts';
import type { Selection } from './selection.ts';
import { throwProblems } from './source-problems.ts';
import type { WorkDirectory } from './work-directory.ts';

/** A tree of which files change each time that they are looked at is not one that can be packed. */
const maxRounds = 10;

export interface WritingOptions {
  /** Of zstd; 0: none. */
  readonly level: number;
  /** What the run was asked for. */
  readonly request: string;
  /** Whether volumes of the walk's catalogue are begun. */
  readonly resume: boolean;
  /** Seconds between two checkpoints. */
  readonly checkpoint: number;
}

export interface WrittenVolumes {
  /** What is in the volumes. */
  readonly packed: WalkedCatalogue;
  readonly plan: PlanResult;
  /** Of the volumes. */
  readonly names: readonly Buffer[];
  /** What is not in them, and directories that are but have changed. */
  readonly unreadable: readonly NativeProblem[];
}

/**
 * Plans and writes the volumes; `name` gives the names of so many. A file that cannot be read, or is not what the walk saw, ends that with
 * `unreadable` or `changed`; or with `skipUnreadable` it is left out, and the volumes, in which all that follows has moved, are written anew.
 */
export async function writeReadable(
  walked: WalkResult,
  how: WritingOptions,
  name: (count: number) => Promise<readonly Buffer[]>,
  work: WorkDirectory,
  jobs: number,
  options: JobOptions & Selection & Layout,
): Promise<WrittenVolumes> {
  const { findCopies, planVolumes, writeVolumes, leaveOut } = loadAddon();
  const { level, request, checkpoint } = how;
  const leftOut = [...walked.unreadable];
  let packed: WalkedCatalogue = walked;
  for (let round = 1; ; round++) {
    const { catalogue } = packed;
    // Those that an earlier run found are in its plan.
    const resume = how.resume && round === 1;
    if (options.dedupe === true && !resume) await runJob((counters) => findCopies(catalogue, jobs, counters), options);
    const plan = await runJob(() => planVolumes(catalogue, planOptions(options, level), jobs));
    const names = await name(plan.volumeLengths.length);
    const paths = names.map(work.volume);
    // Also where the walk has met unreadable entries: writing finds the others, so that all are told at once.
    const checkpoints = checkpointsOf(work, request, { ...walked, unreadable: leftOut }, checkpoint, resume);
    const written = await runJob((counters) => writeVolumes(catalogue, paths, checkpoints, jobs, counters), options);
    const failed = [...written.unreadable, ...written.changed];
    leftOut.push(...failed);
    if (!options.skipUnreadable || (failed.length > 0 && round === maxRounds)) throwProblems(leftOut);
    if (failed.length === 0) return { packed, plan, names, unreadable: sorted([...leftOut, ...written.directories]) };
    for (const path of paths) await unlink(path).catch(ignoreMissing);
    await forgetCheckpoints(work);
    const reduced = await runJob(() => leaveOut(catalogue, written.failedFiles));
    leftOut.push(...reduced.others);
    packed = reduced;
  }
}

/** Volumes after the first failure were not begun. */
function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error;
}

function sorted(problems: readonly NativeProblem[]): NativeProblem[] {
  return problems.toSorted((a, b) => Buffer.compare(a.path, b.path));
}
