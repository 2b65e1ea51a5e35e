import { readdir } from 'node:fs/promises';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { systemError } from '../io/system-error.ts';
import { loadAddon, toShoalError } from '../native/load.ts';
import { startServer } from './background-server.ts';
import { askLease, withMountPointLock } from './lease.ts';
import { resolveMetricsFile } from './metrics-file.ts';
import { describeOptions, type MountOptions } from './mount-options.ts';
import { checkEmptyDirectory, findMountPoint, isStale, resolveParent } from './mount-point.ts';
import { type MountedFilesystem, mountAt, shoalType } from './mountinfo.ts';
import { checkImages, serveImages } from './serve-images.ts';
import { unmountImage } from './unmount-image.ts';

export interface BackgroundOptions extends MountOptions {
  /** File to which the server appends what it has to tell: damage that reading meets. Default: nobody is told. */
  readonly log?: string | Buffer;
}

export interface Mounted {
  /** Absolute, without symbolic links. */
  readonly directory: Buffer;
  /** Whether this image was served there before, with the same options; then nothing was done. */
  readonly already: boolean;
  /** Process that serves it. */
  readonly pid: number;
  /** Unmounts, and returns when the server has ended. Throws `busy` while programs use the mount. */
  unmount(): Promise<void>;
}

/** One image, or several that are shown as one tree: of entries with the same path, that of the later image. */
export type Images = string | Buffer | readonly (string | Buffer)[];

/**
 * Mounts the image on an empty directory, served by a process of its own. When it resolves, every file can be read.
 *
 * It may be called again, also by many processes at once: where the same image is served with the same options it does nothing. A mount
 * point whose server was killed is repaired.
 *
 * @throws ShoalError `usage`: no such directory, or not empty. `busy`: something else is mounted there. Else what is wrong with the image
 * or with FUSE here, with the cure; then nothing is mounted.
 *
 * @example
 * ```ts
 * const mounted = await mountImage('photos.shoal', '/mnt/photos', { umask: 0o022 });
 * await readFile('/mnt/photos/cats/1.txt');
 * await mounted.unmount();
 * ```
 */
export async function mountImage(
  images: Images,
  directory: string | Buffer,
  options: BackgroundOptions = {},
): Promise<Mounted> {
  const { log: logPath, ...given } = options;
  const log = logPath === undefined ? undefined : toBytes(logPath);
  const plan = await planMount(images, toBytes(directory));
  const mountOptions = await resolvePaths(given);
  return withMountPointLock(plan.directory, async () => {
    const unmount = () => unmountImage(plan.directory);
    const before = await clearMountPoint(plan, mountOptions);
    if (before !== undefined) {
      await checkReadable(plan.directory);
      return { directory: plan.directory, already: true, pid: before.pid, unmount };
    }

    const server = await startServer({ images: plan.images, directory: plan.directory, options: mountOptions }, log);
    try {
      await checkReadable(plan.directory);
    } catch (error) {
      await server.end();
      throw error;
    }
    server.release();
    return { directory: plan.directory, already: false, pid: server.pid, unmount };
  });
}

/**
 * As {@link mountImage}, but served by this process: resolves when the mount has ended, see {@link serveImages}. `onReady` is called when every
 * file can be read.
 */
export async function serveInForeground(
  images: Images,
  directory: string | Buffer,
  given: MountOptions = {},
  onReady: () => void = () => {},
): Promise<void> {
  const plan = await planMount(images, toBytes(directory));
  const options = await resolvePaths(given);
  let ended: Promise<void> | undefined;
  await withMountPointLock(plan.directory, async () => {
    const before = await clearMountPoint(plan, options);
    if (before !== undefined) {
      throw new ShoalError('busy', `this image is mounted here already, served by process ${before.pid}`, {
        path: showBytes(plan.directory),
      });
    }
    await new Promise<void>((resolve, reject) => {
      const ready = async () => resolve(await checkReadable(plan.directory));
      ended = serveImages(plan.images, plan.directory, options, ready);
      ended.catch(reject);
    });
  });
  onReady();
  await ended;
}

/** What is to be mounted where, found out before any work. */
interface Plan {
  readonly images: readonly Buffer[];
  readonly ids: readonly string[];
  readonly directory: Buffer;
}

async function planMount(images: Images, directory: Buffer): Promise<Plan> {
  const paths = (typeof images === 'string' || Buffer.isBuffer(images) ? [images] : images).map(toBytes);
  if (paths.length === 0) throw new ShoalError('usage', 'expected at least one image, found none');
  const ids = checkImages(paths);
  const { directory: resolved } = await findMountPoint(directory);
  // Not a link at an image itself: its volumes lie beside it under the name that was given.
  return { images: await Promise.all(paths.map(resolveParent)), ids, directory: resolved };
}

/** The server stands in another directory. */
async function resolvePaths(options: MountOptions): Promise<MountOptions> {
  if (options.metrics === undefined) return options;
  return { ...options, metrics: await resolveMetricsFile(toBytes(options.metrics)) };
}

/** Makes way at the mount point. If the same is served there already: by which process. */
async function clearMountPoint(plan: Plan, options: MountOptions): Promise<{ pid: number } | undefined> {
  const mounted = mountAt(plan.directory);
  if (mounted === undefined) {
    await checkEmptyDirectory(plan.directory);
    return undefined;
  }
  if (mounted.type !== shoalType) throw occupied(plan, mounted, 'another filesystem');
  const line = await askLease(mounted.device);
  line?.close();
  if (line === undefined) {
    if (!(await isStale(mounted))) throw occupied(plan, mounted, 'a mount whose server cannot be asked from here');
    await loadAddon()
      .unmount(plan.directory, true)
      .catch((error) => {
        throw toShoalError(error);
      });
    return clearMountPoint(plan, options);
  }
  if (line.lease.ids.join() !== plan.ids.join()) throw occupied(plan, mounted, 'another image');
  if (line.lease.options !== describeOptions(options)) throw occupied(plan, mounted, 'this image with other options');
  return { pid: line.lease.pid };
}

function occupied(plan: Plan, mounted: MountedFilesystem, what: string): ShoalError {
  const cure =
    mounted.type === shoalType ? 'run shoal unmount first, or name another directory' : 'name another directory';
  const found = `${what} (${showBytes(mounted.source)}, ${mounted.type})`;
  return new ShoalError('busy', `expected nothing mounted here, found ${found}; ${cure}`, {
    path: showBytes(plan.directory),
  });
}

/** Looks at the mount as every program will, from outside of its server. */
async function checkReadable(directory: Buffer): Promise<void> {
  const path = showBytes(directory);
  if (mountAt(directory)?.type !== shoalType) {
    throw new ShoalError('io', 'expected the mount in /proc/self/mountinfo, found none; it was taken away at once', {
      path,
    });
  }
  try {
    await readdir(directory);
  } catch (error) {
    throw systemError('read the mounted root directory', path, error);
  }
}

function toBytes(path: string | Buffer): Buffer {
  return typeof path === 'string' ? Buffer.from(path) : path;
}
