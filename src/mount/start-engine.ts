import { loadAddon, toShoalError } from '../native/load.ts';
import { startJsEngine } from './js-engine.ts';
import type { MountOptions } from './mount-options.ts';
import type { ServedTree } from './served-tree.ts';

/**
 * Mounts the images on `directory` and serves them with the engine that the options name. Resolves when the kernel has finished the FUSE handshake.
 *
 * @throws ShoalError what is wrong with an image, the mount point, FUSE here, or the engine, with the cure.
 */
export async function startEngine(
  images: readonly Buffer[],
  directory: Buffer,
  options: MountOptions,
): Promise<ServedTree> {
  if (options.engine === 'js') return startJsEngine(images, directory, options);
  try {
    const mount = await loadAddon().mount(images, directory, options);
    return {
      ended: mount.ended,
      unmount: async () => mount.unmount(),
      requests: () => mount.requests(),
      statistics: () => mount.statistics(),
    };
  } catch (error) {
    throw toShoalError(error);
  }
}
