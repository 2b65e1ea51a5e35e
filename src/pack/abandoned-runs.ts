import { lstat, readdir, rename, rmdir, stat, unlink } from 'node:fs/promises';
import { showBytes } from '../base/entry-path.ts';
import { isShoalError, ShoalError } from '../base/errors.ts';
import { indexedVolumes } from '../image/indexed-volumes.ts';
import { systemCode, systemError } from '../io/system-error.ts';
import { lstatOf } from './check-request.ts';
import { isAlive, isTaggedAlive, type Lease, ownTag, readLease } from './lease.ts';
import { leaseName, type OutputPaths, pathIn, pathsIn, planName, volumeBeside } from './output-paths.ts';
import { readSurplus, removeSurplus } from './surplus-volumes.ts';

/**
 * Takes a dead run's work directory out of the way; {@link removeAbandoned} removes it. `prepared` is a directory that was just written, whose
 * mtime says what time the filesystem has: the clocks of two hosts differ. Throws `busy` if the run lives, `exists` if it is no run's.
 */
export async function retireDeadRun(prepared: Buffer, paths: OutputPaths): Promise<void> {
  const shown = showBytes(paths.work);
  const lease = await leaseIn(paths.work, paths);
  if (lease === 'none') {
    throw new ShoalError(
      'exists',
      'expected a directory that an earlier run left, found something else; move it away',
      {
        path: shown,
      },
    );
  }
  if (lease === 'gone') return;
  const age = (await stat(prepared)).mtimeMs - lease.mtimeMs;
  if (isAlive(lease.content, age)) {
    const who = lease.content === undefined ? 'one' : `process ${lease.content.pid} on ${hostOf(lease.content)}`;
    throw new ShoalError('busy', `expected no other run here, found ${who} at work`, { path: shown });
  }

  const retired = besideWork(paths);
  try {
    await rename(paths.work, retired);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return; // Another run was as quick as we.
    throw systemError('move', shown, error);
  }
  const moved = await leaseIn(retired, paths);
  if (typeof moved === 'object' && moved.text !== lease.text) {
    // Between our look and our move another run retired the dead one and took the name.
    await rename(retired, paths.work).catch(() => undefined);
  }
}

/** `IMAGE.shoal.partial.TAG.NUMBER`, for a work directory of this run that is not yet, or of a dead one that is no more, in its place. */
export function besideWork({ work }: OutputPaths): Buffer {
  return Buffer.concat([work, Buffer.from(`.${ownTag()}.${named++}`)]);
}

let named = 0;

/** Removes what dead runs left beside the work directory, which is ours: nobody else publishes meanwhile. */
export async function removeAbandoned(paths: OutputPaths): Promise<void> {
  for (const directory of await deadRuns(paths)) {
    await removePublishedVolumes(directory, paths);
    await removeSurplus(paths, await readSurplus(pathsIn(directory, paths).surplus));
    await removeRun(directory, paths);
  }
}

/** Moves what a dead run has written, and can be gone on with, into the work directory, which is ours. */
export async function adoptDeadRun(paths: OutputPaths): Promise<void> {
  for (const directory of await deadRuns(paths)) {
    if ((await lstatOf(pathIn(directory, planName))) === undefined) continue;
    const names = await readdir(directory, { encoding: 'buffer' });
    const { index, lease, surplus } = pathsIn(directory, paths);
    const left = [index, lease, surplus, pathIn(directory, planName)];
    const volumes = names.filter((name) => !left.some((path) => path.equals(pathIn(directory, name))));
    // The plan last: without it nothing is gone on with.
    for (const name of [...volumes, planName]) await rename(pathIn(directory, name), pathIn(paths.work, name));
    return;
  }
}

async function deadRuns(paths: OutputPaths): Promise<Buffer[]> {
  const slash = paths.work.lastIndexOf(0x2f);
  const prefix = Buffer.concat([paths.work.subarray(slash + 1), Buffer.from('.')]);
  const dead: Buffer[] = [];
  for (const name of await readdir(paths.directory, { encoding: 'buffer' })) {
    const tag = /^(.*)\.\d+$/.exec(name.subarray(prefix.length).toString('latin1'))?.[1];
    if (tag === undefined || name.indexOf(prefix) !== 0) continue;
    const directory = Buffer.concat([paths.work.subarray(0, slash + 1), name]);
    const found = await lstatOf(directory);
    const age = (await stat(paths.work)).mtimeMs - Number(found?.mtimeMs ?? 0n);
    // Ours is a dead run's that this one has just retired.
    const isLeft = tag === ownTag() || isTaggedAlive(tag, age) === false;
    if (isLeft && found?.isDirectory() === true) dead.push(directory);
  }
  return dead;
}

/** Removes a directory of ours, or of a dead run. */
export async function removeRun(directory: Buffer, paths: OutputPaths): Promise<void> {
  try {
    await emptyRun(directory, paths);
    await rmdir(directory).catch(ignoreMissing);
  } catch (error) {
    throw systemError('remove what an earlier run left', showBytes(directory), error);
  }
}

/** Removes all files of a directory of ours, or of a dead run. */
export async function emptyRun(directory: Buffer, paths: OutputPaths): Promise<void> {
  const inside = pathsIn(directory, paths);
  // The index first: from then on no volume is taken for one that this run published. The lease last: it says whose the others are.
  await unlink(inside.index).catch(ignoreMissing);
  await clearRun(directory);
  await unlink(inside.lease).catch(ignoreMissing);
}

/** Removes all files of a run's directory but its lease. */
export async function clearRun(directory: Buffer): Promise<void> {
  const names = await readdir(directory, { encoding: 'buffer' }).catch((error: unknown) => {
    ignoreMissing(error);
    return [];
  });
  for (const name of names) if (!name.equals(leaseName)) await unlink(pathIn(directory, name)).catch(ignoreMissing);
}

/** Where the dead run was stopped between publishing its first volume and its index, its volumes are of no use to anybody. */
async function removePublishedVolumes(directory: Buffer, paths: OutputPaths): Promise<void> {
  // The index is the last to be published, and the first to be removed.
  if ((await lstatOf(paths.index)) !== undefined) return;
  for (const name of volumesNamedIn(pathsIn(directory, paths).index)) {
    const published = await lstatOf(volumeBeside(paths, name));
    if (published === undefined) continue;
    const volume = await lstatOf(pathIn(directory, name));
    const isOurs = volume === undefined || (volume.dev === published.dev && volume.ino === published.ino);
    if (isOurs) await unlink(volumeBeside(paths, name)).catch(ignoreMissing);
  }
}

/** None where there is no whole index: then nothing was published. */
function volumesNamedIn(index: Buffer): readonly Buffer[] {
  try {
    return indexedVolumes(index).names;
  } catch (error) {
    if (isShoalError(error)) return [];
    throw error;
  }
}

interface FoundLease {
  readonly text: string;
  /** Undefined where a run's host lost power before it was written to storage. */
  readonly content: Lease | undefined;
  readonly mtimeMs: number;
}

/** The lease of a run's directory; `gone` if there is no such directory by now, `none` if it is no run's. */
async function leaseIn(directory: Buffer, paths: OutputPaths): Promise<FoundLease | 'gone' | 'none'> {
  const path = pathsIn(directory, paths).lease;
  try {
    if (!(await lstat(directory)).isDirectory() || !(await lstat(path)).isFile()) return 'none';
    const { text, content } = await readLease(path);
    return { text, content, mtimeMs: (await stat(path)).mtimeMs };
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw systemError('look at', showBytes(directory), error);
    return (await lstatOf(directory)) === undefined ? 'gone' : 'none';
  }
}

function hostOf({ host }: Lease): string {
  return host.split(' ')[0] ?? host;
}

function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error;
}
