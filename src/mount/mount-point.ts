import { lstat, opendir, realpath } from 'node:fs/promises';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { systemCode, systemError } from '../io/system-error.ts';
import { type MountedFilesystem, mountAt, shoalType } from './mountinfo.ts';
import { probeMount } from './probe-mount.ts';

/** A directory to mount on, or that has a mount. */
export interface MountPoint {
  /** Absolute and without symbolic links, as mountinfo has it. */
  readonly directory: Buffer;
  readonly mounted: MountedFilesystem | undefined;
}

/**
 * Where `directory` really is and what is mounted there. Does not touch a mount at it, whose server may be gone or stuck.
 *
 * @throws ShoalError `usage` where there is no such directory.
 */
export async function findMountPoint(directory: Buffer): Promise<MountPoint> {
  try {
    const unresolved = await resolveParent(directory);
    const mounted = mountAt(unresolved);
    if (mounted !== undefined || !(await lstat(unresolved)).isSymbolicLink()) return { directory: unresolved, mounted };
    const resolved = await realpath(unresolved, 'buffer');
    return { directory: resolved, mounted: mountAt(resolved) };
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' && systemCode(error) !== 'ENOTDIR') {
      throw systemError('look at the mount point', showBytes(directory), error);
    }
    throw new ShoalError('usage', 'expected a directory to mount on, found nothing; create it with mkdir -p', {
      path: showBytes(directory),
      cause: error,
    });
  }
}

/**
 * The Shoal mount at `directory`, which is not touched itself.
 *
 * @throws ShoalError `missing` where nothing is mounted, `usage` where something else is, or there is no such directory.
 */
export async function findShoalMount(directory: Buffer): Promise<MountedFilesystem> {
  const point = await findMountPoint(directory);
  const path = showBytes(point.directory);
  if (point.mounted === undefined)
    throw new ShoalError('missing', 'expected a Shoal mount, found nothing mounted here', { path });
  if (point.mounted.type === shoalType) return point.mounted;
  const found = `${point.mounted.type} (${showBytes(point.mounted.source)})`;
  throw new ShoalError('usage', `expected a Shoal mount, found ${found}; name another directory`, { path });
}

/** Throws `usage` unless `directory` is an empty directory: a mount would hide what is in it. */
export async function checkEmptyDirectory(directory: Buffer): Promise<void> {
  const path = showBytes(directory);
  try {
    if (!(await lstat(directory)).isDirectory()) {
      throw new ShoalError('usage', 'expected a directory to mount on, found something else; name another one', {
        path,
      });
    }
    // Node's opendir takes bytes, its type does not.
    const listing = await opendir(directory as unknown as string, { encoding: 'buffer' as BufferEncoding });
    const first = await listing.read();
    await listing.close();
    if (first !== null) {
      throw new ShoalError('usage', 'expected an empty directory to mount on, found files in it; name another one', {
        path,
      });
    }
  } catch (error) {
    throw error instanceof ShoalError ? error : systemError('read the mount point', path, error);
  }
}

/** Whether the server of a FUSE mount is gone: killed, so that it could not unmount. Throws `busy` if it is there but stuck. */
export async function isStale({ directory, uid }: MountedFilesystem): Promise<boolean> {
  switch (await probeMount(directory, uid)) {
    case 'ENOTCONN':
    case 'ECONNABORTED':
      return true;
    case 'stuck':
      throw serverIsStuck(directory);
    default:
      return false;
  }
}

export function serverIsStuck(directory: Buffer): ShoalError {
  const message = 'a Shoal mount is here whose server does not answer; shoal unmount --lazy takes it away';
  return new ShoalError('busy', message, { path: showBytes(directory) });
}

/** `path` with all but its last name resolved. */
export async function resolveParent(path: Buffer): Promise<Buffer> {
  let end = path.length;
  while (end > 1 && path[end - 1] === 0x2f) end--;
  const slash = path.lastIndexOf('/', end - 1);
  const name = path.subarray(slash + 1, end);
  if (name.length === 0 || name.equals(Buffer.from('.')) || name.equals(Buffer.from('..')))
    return realpath(path, 'buffer');
  const parent = slash === -1 ? Buffer.from('.') : path.subarray(0, Math.max(slash, 1));
  const resolved = await realpath(parent, 'buffer');
  return Buffer.concat([resolved, Buffer.from(resolved.at(-1) === 0x2f ? '' : '/'), name]);
}
