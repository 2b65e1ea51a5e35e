import { unlink } from 'node:fs/promises';
import { showBytes } from '../base/entry-path.ts';
import { publishFile, syncDirectoryOf } from '../io/atomic-file.ts';
import { systemCode, systemError } from '../io/system-error.ts';
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
  const published: Buffer[] = [];
  try {
    for (const name of names) {
      const path = volumeBeside(paths, name);
      await publishFile(work.volume(name), path, replace);
      published.push(path);
    }
    await publishFile(work.index, paths.index, replace);
  } catch (error) {
    // Volumes without an index would be in the way of the next run.
    for (const path of published) await unlink(path).catch(() => undefined);
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
