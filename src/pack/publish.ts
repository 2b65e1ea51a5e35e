import { unlink } from 'node:fs/promises';
import { showBytes } from '../base/entry-path.ts';
import { publishFile, syncDirectoryOf } from '../io/atomic-file.ts';
import { systemCode, systemError } from '../io/system-error.ts';
import type { OutputPaths } from './output-paths.ts';
import type { WorkDirectory } from './work-directory.ts';

/**
 * Gives the synced files their final names, the index last. Over an existing image its index goes first, so that no index ever stands beside
 * a volume that is not its own. Throws `exists` if a file has come to be there and must not give way.
 */
export async function publishImage(work: WorkDirectory, paths: OutputPaths, replace: boolean): Promise<void> {
  if (replace) await removeOldIndex(paths.index);
  await publishFile(work.volume, paths.volume, replace);
  try {
    await publishFile(work.index, paths.index, replace);
  } catch (error) {
    // A volume without an index would be in the way of the next run.
    await unlink(paths.volume).catch(() => undefined);
    throw error;
  }
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
