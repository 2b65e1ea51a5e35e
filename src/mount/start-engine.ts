import { ShoalError } from '../base/errors.ts';
import { loadAddon, toShoalError } from '../native/load.ts';
import { startJsEngine } from './js-engine.ts';
import type { MountOptions } from './mount-options.ts';
import type { ServedTree } from './served-tree.ts';

/**
 * Mounts the images on `target` (a number: a descriptor on which somebody else mounted) and serves them with the engine that the options name. Resolves when the kernel has finished the FUSE handshake.
 *
 * @throws ShoalError what is wrong with an image, the mount point, FUSE here, or the engine, with the cure.
 */
export async function startEngine(
  images: readonly Buffer[],
  target: Buffer | number,
  options: MountOptions,
): Promise<ServedTree> {
  if (options.engine === 'js') {
    if (typeof target !== 'number') return startJsEngine(images, target, options);
    throw new ShoalError('usage', 'engine=js mounts on directories only; mount without engine=js');
  }
  try {
    const mount = await loadAddon().mount(images, target, {
      // Else a job that has all it needs in the page cache would look like nobody.
      ...(options.timeout ? { skipOpen: false, skipOpendir: false } : {}),
      ...(typeof target === 'number' ? { checkPermissions: true } : {}),
      ...options,
    });
    return {
      ended: mount.ended,
      unmount: async () => mount.unmount(),
      unmountUnused: async () => mount.unmountUnused(),
      requests: () => mount.requests(),
      statistics: () => mount.statistics(),
    };
  } catch (error) {
    throw toShoalError(error);
  }
}
