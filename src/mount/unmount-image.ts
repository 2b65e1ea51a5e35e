import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { loadAddon, toShoalError } from '../native/load.ts';
import { askLease } from './lease.ts';
import { findShoalMount } from './mount-point.ts';
import { mountAt } from './mountinfo.ts';

export interface UnmountOptions {
  /** Takes the mount out of sight at once, also while programs use it; its server ends with the last of them. */
  readonly lazy?: boolean;
}

/** Its threads have nothing left to do, so a server ends at once; unless the machine is short of breath. */
const endMilliseconds = 10_000;

/**
 * Unmounts a Shoal mount. When it resolves, the mount is gone and, unless lazily, its server has ended.
 *
 * @throws ShoalError `missing`: nothing is mounted there. `usage`: something else is. `busy`: programs use it.
 *
 * @example
 * ```ts
 * await unmountImage('/mnt/photos', { lazy: true });
 * ```
 */
export async function unmountImage(directory: string | Buffer, options: UnmountOptions = {}): Promise<void> {
  const mounted = await findShoalMount(typeof directory === 'string' ? Buffer.from(directory) : directory);
  const path = showBytes(mounted.directory);
  // Lazily, nobody waits for the server, and a stuck one is what it is for.
  const answer = options.lazy ? 'none' : await askLease(mounted.device);
  const server = typeof answer === 'string' ? undefined : answer;
  try {
    await loadAddon()
      .unmount(mounted.directory, options.lazy ?? false)
      .catch((error) => {
        throw toShoalError(error);
      });
    if (mountAt(mounted.directory)?.device === mounted.device) {
      throw new ShoalError('io', 'expected the mount to be gone, found it still there; try again with --lazy', {
        path,
      });
    }
    if (server === undefined || (await server.ended(endMilliseconds))) return;
    const message =
      `unmounted here, but its server, process ${server.lease.pid}, has not ended within 10 s; ` +
      'another mount namespace, such as that of a container, may have the mount still';
    throw new ShoalError('busy', message, { path });
  } finally {
    server?.close();
  }
}
