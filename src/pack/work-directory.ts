import { mkdir, readdir, rename, rmdir, stat, unlink } from 'node:fs/promises';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { systemCode, systemError } from '../io/system-error.ts';
import { lstatOf } from './check-request.ts';
import { isAlive, keepLease, type Lease, ownLease, readLease, writeLease } from './lease.ts';
import { type OutputPaths, pathsIn } from './output-paths.ts';

/** The directory in which a run makes an image. */
export interface WorkDirectory {
  readonly index: Buffer;
  readonly volume: Buffer;
  /** Removes the directory with what is left in it. */
  release(): Promise<void>;
}

/** Makes the work directory of an image, first removing what a dead run left of one. Throws `busy` where another run works on the image. */
export async function claimWorkDirectory(paths: OutputPaths): Promise<WorkDirectory> {
  await removeStale(paths);
  for (let tries = 0; tries < 3; tries++) {
    if (await makeDirectory(paths.work)) return await occupy(paths);
    await retireDeadRun(paths);
  }
  throw new ShoalError('busy', 'expected to be the only run here, found others; try again', {
    path: showBytes(paths.work),
  });
}

async function occupy(paths: OutputPaths): Promise<WorkDirectory> {
  const inside = pathsIn(paths.work, paths);
  const lease = ownLease();
  await writeLease(inside.lease, lease);
  const stopRenewing = keepLease(inside.lease, lease);
  return {
    index: inside.index,
    volume: inside.volume,
    release: async () => {
      stopRenewing();
      // Should it fail, the next run finds a dead one's directory, and removes it.
      await removeContents(paths.work, paths).catch(() => undefined);
    },
  };
}

/** Takes a dead run's directory out of the way and removes it. Throws `busy` if the run lives, `exists` if the directory is no run's. */
async function retireDeadRun(paths: OutputPaths): Promise<void> {
  const shown = showBytes(paths.work);
  const lease = await readLease(pathsIn(paths.work, paths).lease);
  if (lease === undefined) return await removeEmpty(paths);
  if (isAlive(lease, await ageOf(paths))) {
    throw new ShoalError('busy', `expected no other run here, found process ${lease.pid} on ${hostOf(lease)} at work`, {
      path: shown,
    });
  }
  await rename(paths.work, paths.stale).catch((error: unknown) => {
    // Gone, or another run was as quick as we: the next try will tell.
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) throw systemError('move', shown, error);
  });
  const moved = await readLease(pathsIn(paths.stale, paths).lease);
  if (moved !== undefined && !isSame(moved, lease)) {
    // Between our look and our move another run removed the dead one's directory and made its own.
    await rename(paths.stale, paths.work).catch(() => undefined);
    return;
  }
  await removeStale(paths);
}

/** A run that died, or is, between making its directory and its lease. rmdir fails where the lease is there by now. */
async function removeEmpty(paths: OutputPaths): Promise<void> {
  try {
    await rmdir(paths.work);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    const names = await readdir(paths.work).catch((): string[] => []);
    if (names.includes('lease')) return;
    throw new ShoalError(
      'exists',
      'expected a directory that an earlier run left, found something else; move it away',
      {
        path: showBytes(paths.work),
        cause: error,
      },
    );
  }
}

/** Removes what is left of a dead run, and the volume that it had published without its index. */
async function removeStale(paths: OutputPaths): Promise<void> {
  if ((await lstatOf(paths.stale)) === undefined) return;
  if (await hasPublishedVolumeOnly(paths)) await unlink(paths.volume).catch(ignoreMissing);
  await removeContents(paths.stale, paths);
}

/** The index is the first of a work directory to be removed and the last to be published: where it is alone, the volume was published. */
async function hasPublishedVolumeOnly(paths: OutputPaths): Promise<boolean> {
  const inside = pathsIn(paths.stale, paths);
  const published = await lstatOf(paths.volume);
  if (published === undefined || (await lstatOf(paths.index)) !== undefined) return false;
  if ((await lstatOf(inside.index)) === undefined) return false;
  const volume = await lstatOf(inside.volume);
  return volume === undefined || (volume.dev === published.dev && volume.ino === published.ino);
}

async function removeContents(directory: Buffer, paths: OutputPaths): Promise<void> {
  const inside = pathsIn(directory, paths);
  try {
    for (const path of [inside.index, inside.volume, inside.lease]) await unlink(path).catch(ignoreMissing);
    await rmdir(directory).catch(ignoreMissing);
  } catch (error) {
    throw systemError('remove what an earlier run left', showBytes(directory), error);
  }
}

/** False if there is something of this name already. */
async function makeDirectory(path: Buffer): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw systemError('write the output here', showBytes(path), error);
  }
}

/** Milliseconds since the lease was renewed. The clocks of two hosts differ, so a fresh file tells what time the filesystem has. */
async function ageOf(paths: OutputPaths): Promise<number> {
  await removeStale(paths);
  await mkdir(paths.stale).catch(() => undefined);
  try {
    const now = (await stat(paths.stale)).mtimeMs;
    return now - (await stat(pathsIn(paths.work, paths).lease)).mtimeMs;
  } catch {
    // Another run is removing the same; the next try will tell.
    return Number.POSITIVE_INFINITY;
  } finally {
    await rmdir(paths.stale).catch(() => undefined);
  }
}

function isSame(a: Lease, b: Lease): boolean {
  return a.host === b.host && a.pid === b.pid && a.start === b.start;
}

function hostOf({ host }: Lease): string {
  return host.split(' ')[0] ?? host;
}

function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error;
}
