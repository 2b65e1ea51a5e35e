import { stat, unlink } from 'node:fs/promises';
import { showBytes } from '../base/entry-path.ts';
import { publishFile, syncDirectoryOf } from '../io/atomic-file.ts';
import { systemCode, systemError } from '../io/system-error.ts';
import { lstatOf, placeOf } from './check-request.ts';
import { type OutputPaths, volumeBeside } from './output-paths.ts';
import { findSurplus, removeSurplus, writeSurplus } from './surplus-volumes.ts';
import { type VolumeNaming, volumeNames } from './volume-names.ts';
import type { WorkDirectory } from './work-directory.ts';

/**
 * Gives the synced files of an image with `count` volumes their final names, the index last. Over an existing image its index goes first, so that no index ever stands beside
 * a volume that is not its own; those of its volumes that the new image has not go last. Throws `exists` if a file has come to be there and must not give way.
 */
export async function publishImage(
  work: WorkDirectory,
  paths: OutputPaths,
  naming: VolumeNaming,
  count: number,
  replace: boolean,
): Promise<void> {
  const names = volumeNames(naming, count);
  const surplus = replace ? findSurplus(paths, naming, names) : undefined;
  if (surplus !== undefined && surplus.names.length > 0) await writeSurplus(work.surplus, surplus);
  if (replace) await removeOldIndex(paths.index);
  const made = [
    { from: work.index, to: paths.index },
    ...names.map((name) => ({ from: work.volume(name), to: volumeBeside(paths, name) })),
  ];
  const own = new Set(await Promise.all(made.map(async ({ from }) => placeOf(await stat(from, { bigint: true })))));
  try {
    for (const { from, to } of made.toReversed()) await publishFile(from, to, replace);
  } catch (error) {
    // A part of an image would be in the way of the next run; files of somebody else are left alone. The index goes first.
    for (const { to } of made) {
      const there = await lstatOf(to).catch(() => undefined);
      if (there !== undefined && own.has(placeOf(there))) await unlink(to).catch(() => undefined);
    }
    throw error;
  }
  await removeSurplus(paths, surplus);
}

async function removeOldIndex(index: Buffer): Promise<void> {
  try {
    await unlink(index);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw systemError('remove the old index', showBytes(index), error);
  }
  await syncDirectoryOf(index);
}
