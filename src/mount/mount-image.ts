import { readdir } from 'node:fs/promises';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { systemError } from '../io/system-error.ts';
import { startServer } from './background-server.ts';
import { clearMountPoint, holdServed } from './clear-mount-point.ts';
import type { Lease } from './lease.ts';
import { type DirectoryPlan, type Images, type LifeOptions, onDirectory, planMount, toBytes } from './mount-plan.ts';
import { withMountPointLock } from './mount-point-lock.ts';
import { mountAt, shoalType } from './mountinfo.ts';
import { notify } from './notify-pipe.ts';
import { serveImages } from './serve-images.ts';
import { unmountImage } from './unmount-image.ts';

export interface BackgroundOptions extends LifeOptions {
  /** File to which the server appends what it has to tell: damage that reading meets. Default: nobody is told. */
  readonly log?: string | Buffer;
}

export interface Mounted {
  /** Absolute, without symbolic links; `/dev/fd/N` as it was given. */
  readonly directory: Buffer;
  /** Whether this image was served there before, with the same options; then nothing was done. */
  readonly already: boolean;
  /** Process that serves it. */
  readonly pid: number;
  /** Unmounts, and returns when the server has ended. Throws `busy` while programs use the mount. */
  unmount(): Promise<void>;
}

/** Whoever is to read a notify_pipe, but for that of a server, is waited for so long. */
const readerMilliseconds = 10_000;

/**
 * Mounts the image on an empty directory, served by a process of its own. When it resolves, every file can be read.
 *
 * It may be called again, also by many processes at once: where the same image is served with the same options it does nothing. A mount
 * point whose server was killed is repaired. `/dev/fd/N` is an open /dev/fuse on which somebody else mounted; then the kernel has shaken hands when
 * it resolves.
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
  const { log: logPath, ...lifeOptions } = options;
  const log = logPath === undefined ? undefined : toBytes(logPath);
  return tellingFailure(options.notifyPipe, async () => {
    const plan = await planMount(images, toBytes(directory), lifeOptions);
    if (!onDirectory(plan)) {
      const { pid, release, end } = await startServer(plan, log);
      release();
      return { directory: toBytes(directory), already: false, pid, unmount: end };
    }
    // Of many that mount the same at once, those who come late need not wait for each other.
    const before = await holdServed(plan);
    if (before !== undefined) return servedAlready(plan, before);
    return withMountPointLock(plan.target, async () => {
      const meanwhile = await clearMountPoint(plan);
      return meanwhile === undefined ? mountInBackground(plan, log) : servedAlready(plan, meanwhile);
    });
  });
}

/**
 * As {@link mountImage}, but served by this process: resolves when the mount has ended, see {@link serveImages}. `onReady` is called when every
 * file can be read.
 */
export async function serveInForeground(
  images: Images,
  directory: string | Buffer,
  options: LifeOptions = {},
  onReady: () => void = () => {},
): Promise<void> {
  let ended: Promise<void> | undefined;
  await tellingFailure(options.notifyPipe, async () => {
    const plan = await planMount(images, toBytes(directory), options);
    const start = (check: () => Promise<void>) =>
      new Promise<void>((resolve, reject) => {
        ended = serveImages(plan.images, plan.target, plan.options, async () => resolve(await check()));
        ended.catch(reject);
      });
    if (!onDirectory(plan)) return start(async () => {});
    await withMountPointLock(plan.target, async () => {
      const before = await clearMountPoint(plan);
      if (before !== undefined) {
        throw new ShoalError('busy', `this image is mounted here already, served by process ${before.pid}`, {
          path: showBytes(plan.target),
        });
      }
      await start(() => checkReadable(plan.target));
    });
  });
  onReady();
  await ended;
}

async function mountInBackground(plan: DirectoryPlan, log: Buffer | undefined): Promise<Mounted> {
  const server = await startServer(plan, log);
  try {
    await checkReadable(plan.target);
  } catch (error) {
    await server.end();
    throw error;
  }
  server.release();
  const { target } = plan;
  return { directory: target, already: false, pid: server.pid, unmount: () => unmountImage(target) };
}

async function servedAlready({ target, options }: DirectoryPlan, { pid }: Lease): Promise<Mounted> {
  await checkReadable(target);
  if (options.notifyPipe !== undefined) void notify(options.notifyPipe, 's', AbortSignal.timeout(readerMilliseconds));
  return { directory: target, already: true, pid, unmount: () => unmountImage(target) };
}

/** A failure is not kept back until somebody reads of it. */
async function tellingFailure<T>(fifo: Buffer | undefined, mount: () => Promise<T>): Promise<T> {
  try {
    return await mount();
  } catch (error) {
    if (fifo !== undefined) notifyFailure(fifo);
    throw error;
  }
}

/** Writes the `f` of notify_pipe when somebody reads, within 10 s; this process lives for as long. */
export function notifyFailure(fifo: Buffer): void {
  void notify(fifo, 'f', AbortSignal.timeout(readerMilliseconds));
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
