import { open } from 'node:fs/promises';
import { showBytes } from '../base/entry-path.ts';
import { systemError } from '../io/system-error.ts';
import type { NativeProblem, PlannedCatalogue, WalkResult } from '../native/addon.ts';
import { loadAddon } from '../native/load.ts';
import { type JobOptions, runJob } from '../native/run-job.ts';
import type { Selection } from './selection.ts';
import { throwProblems } from './source-problems.ts';
import type { WorkDirectory } from './work-directory.ts';

/** A tree of which files change each time that they are looked at is not one that can be packed. */
const maxRounds = 10;

export interface WrittenVolume {
  /** What is in the volume. */
  readonly planned: PlannedCatalogue;
  /** What is not, and directories that are but have changed. */
  readonly unreadable: readonly NativeProblem[];
}

/**
 * Writes the volume. A file that cannot be read, or is not what the walk saw, ends that with `unreadable` or `changed`; or with `skipUnreadable`
 * it is left out, and the volume, in which all that follows has moved, is written anew.
 */
export async function writeReadable(
  walked: WalkResult,
  work: WorkDirectory,
  jobs: number,
  options: JobOptions & Selection,
): Promise<WrittenVolume> {
  const { writeVolume, leaveOut } = loadAddon();
  const leftOut = [...walked.unreadable];
  let planned: PlannedCatalogue = walked;
  for (let round = 1; ; round++) {
    await makeEmpty(work.volume);
    // Also where the walk has met unreadable entries: writing finds the others, so that all are told at once.
    const written = await runJob((counters) => writeVolume(planned.catalogue, work.volume, jobs, counters), options);
    const failed = [...written.unreadable, ...written.changed];
    leftOut.push(...failed);
    if (!options.skipUnreadable || (failed.length > 0 && round === maxRounds)) throwProblems(leftOut);
    if (failed.length === 0) return { planned, unreadable: sorted([...leftOut, ...written.directories]) };
    const reduced = await runJob(() => leaveOut(planned.catalogue, written.failedFiles, jobs));
    leftOut.push(...reduced.others);
    planned = reduced;
  }
}

async function makeEmpty(volume: Buffer): Promise<void> {
  const file = await open(volume, 'w').catch((error: unknown) => {
    throw systemError('create', showBytes(volume), error);
  });
  await file.close();
}

function sorted(problems: readonly NativeProblem[]): NativeProblem[] {
  return problems.toSorted((a, b) => Buffer.compare(a.path, b.path));
}
