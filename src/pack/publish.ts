import { stat, unlink } from 'node:fs/promises';
import { showBytes } from '../base/entry-path.ts';
import { publishFile, syncDirectoryOf } from '../io/atomic-file.ts';
import { systemCode, systemError } from '../io/system-error.ts';
import { lstatOf } from './check-request.ts';
import type { OutputPaths } from './output-paths.ts';
import type { WorkDirectory } from './work-directory.ts';

/**
 * Gives the synced files their final names, the index last. Over an existing image its index goes first, so that no index ever stands beside
 * a volume that is not its own. Throws `exists` if a file has come to be there and must not give way.
 */
export async function publishImage(work: WorkDirectory, paths: OutputPaths, replace: boolean): Promise<void> {
  if (replace) await removeOldIndex(paths.index);
  const made = await Promise.all([work.index, work.volume].map((path) => stat(path, { bigint: true })));
  try {
    await publishFile(work.volume, paths.volume, replace);
    await publishFile(work.index, paths.index, replace);
  } catch (error) {
    // A half of an image would be in the way of the next run; a file of somebody else is left alone. The index goes first.
    for (const path of [paths.index, paths.volume]) {
      const there = await lstatOf(path).catch(() => undefined);
      const isOurs = made.some(({ dev, ino }) => dev === there?.dev && ino === there.ino);
      if (isOurs) await unlink(path).catch(() => undefined);
    }
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
