import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { openImage } from '../image/open-image.ts';
import type { NativeMount } from '../native/addon.ts';
import { loadAddon, toShoalError } from '../native/load.ts';
import { IdleWatch } from './idle-watch.ts';
import { announceLease } from './lease.ts';
import type { LeaseHolder } from './lease-holder.ts';
import { LeaseHolders } from './lease-holders.ts';
import { describeOptions, type MountOptions } from './mount-options.ts';
import { withServerLock } from './mount-point-lock.ts';
import { mountAt } from './mountinfo.ts';
import { notify } from './notify-pipe.ts';

/** The images' ids, each 32 hexadecimal digits. Opens indexes and volumes to see that they can be served, and throws what is wrong with them. */
export function checkImages(images: readonly Buffer[]): string[] {
  return images.map((image) => {
    const opened = openImage(image);
    try {
      return Buffer.from(opened.index.id).toString('hex');
    } finally {
      opened.close();
    }
  });
}

export interface ServeOptions extends MountOptions {
  /** The process for as long as which the mount is to live; without one it stays until it is unmounted. */
  readonly holder?: LeaseHolder;
}

/** Programs with open files get so long to end after SIGTERM; then their reads fail. */
const graceMilliseconds = 5000;

/** Signals that mean: unmount and end. */
const stopSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * Mounts the images, of which later ones win, on `target` (a directory as {@link findMountPoint} resolves it, nothing mounted there; or a
 * descriptor, see {@link mountDescriptor}) and serves it from native threads of this process until it is unmounted, by whomever, or this process
 * gets SIGTERM, SIGINT or SIGHUP, or the last lease has ended. Damage that reading meets is told on standard error, once per entry.
 *
 * When it resolves, the process should end: after a signal a program that did not close its files within 5 s may still be served.
 *
 * @throws ShoalError what is wrong with an image, the mount point or FUSE here, with the cure.
 */
export async function serveImages(
  images: readonly Buffer[],
  target: Buffer | number,
  options: ServeOptions,
  onReady: () => void | Promise<void> = () => {},
): Promise<void> {
  const signals = hearStopSignals();
  try {
    if (typeof target === 'number') await serveOnDescriptor(images, target, options, signals.heard, onReady);
    else await serveOnDirectory(images, target, options, signals.heard, onReady);
  } finally {
    signals.ignore();
  }
}

async function serveOnDirectory(
  images: readonly Buffer[],
  directory: Buffer,
  { holder, ...options }: ServeOptions,
  stop: Promise<void>,
  onReady: () => void | Promise<void>,
): Promise<void> {
  const holders = new LeaseHolders(holder);
  const ended = new AbortController();
  let idle: IdleWatch | undefined;
  let becomeReady: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    becomeReady = resolve;
  });
  const hold = async (another: LeaseHolder | undefined) => {
    await ready;
    idle?.touch();
    return holders.add(another);
  };
  try {
    const { mount, lease } = await withServerLock(directory, () =>
      mountAndTell(images, directory, options, hold, onReady),
    );
    becomeReady();
    // Nobody is told any more that the image is served here once it is not.
    ended.signal.addEventListener('abort', lease.close);
    if (options.notifyPipe !== undefined) void notify(options.notifyPipe, 's', ended.signal);
    if (options.timeout) {
      idle = new IdleWatch(options.timeout, mount.requests, () => {
        const unmounted = unmountUnused(mount, directory);
        if (unmounted) ended.abort();
        return unmounted;
      });
    }
    const graceOver = Promise.race([stop, holders.gone]).then(() => {
      ended.abort();
      unmount(mount, directory);
      return new Promise<void>((resolve) => setTimeout(resolve, graceMilliseconds).unref());
    });
    await Promise.race([mount.ended, graceOver]);
  } finally {
    ended.abort();
    idle?.close();
    holders.close();
  }
}

/** Mounts, and answers whoever asks what is mounted; or leaves nothing behind. */
async function mountAndTell(
  images: readonly Buffer[],
  directory: Buffer,
  options: MountOptions,
  hold: (holder: LeaseHolder | undefined) => Promise<boolean>,
  onReady: () => void | Promise<void>,
): Promise<{ mount: NativeMount; lease: { close(): void } }> {
  const path = showBytes(directory);
  // Another server may have waited for the same: that of a command which was killed.
  if (mountAt(directory) !== undefined) throw new ShoalError('busy', 'somebody else has just mounted here', { path });
  const ids = checkImages(images);
  const mount = await attach(images, directory, options);
  let lease: { close(): void } | undefined;
  try {
    const device = mountAt(directory)?.device;
    if (device === undefined) {
      throw new ShoalError('io', 'expected the mount in /proc/self/mountinfo, found none; it was taken away at once', {
        path,
      });
    }
    lease = await announceLease(device, { pid: process.pid, ids, options: describeOptions(options) }, hold);
    await onReady();
    return { mount, lease };
  } catch (error) {
    lease?.close();
    unmount(mount, directory);
    throw error;
  }
}

/** Nothing can be unmounted here, and nobody asked: whoever mounted does that. */
async function serveOnDescriptor(
  images: readonly Buffer[],
  descriptor: number,
  options: MountOptions,
  stop: Promise<void>,
  onReady: () => void | Promise<void>,
): Promise<void> {
  checkImages(images);
  const mount = await attach(images, descriptor, options);
  await onReady();
  const ended = new AbortController();
  if (options.notifyPipe !== undefined) void notify(options.notifyPipe, 's', ended.signal);
  await Promise.race([mount.ended, stop]);
  ended.abort();
}

async function attach(images: readonly Buffer[], target: Buffer | number, options: MountOptions): Promise<NativeMount> {
  // Else a job that has all it needs in the page cache would look like nobody.
  const seen = options.timeout ? { skipOpen: false, skipOpendir: false } : {};
  try {
    return await loadAddon().mount(images, target, { ...seen, ...options });
  } catch (error) {
    throw toShoalError(error);
  }
}

/** From now on the signals end nothing by themselves. */
function hearStopSignals(): { readonly heard: Promise<void>; ignore(): void } {
  let hear: () => void = () => {};
  const heard = new Promise<void>((resolve) => {
    hear = resolve;
  });
  for (const signal of stopSignals) process.on(signal, hear);
  return {
    heard,
    ignore: () => {
      for (const signal of stopSignals) process.off(signal, hear);
    },
  };
}

/** Where it fails the process ends all the same, and the next mount repairs what is left. */
function unmount(mount: NativeMount, directory: Buffer): void {
  try {
    mount.unmount();
  } catch (error) {
    tellFailure(directory, error);
  }
}

function unmountUnused(mount: NativeMount, directory: Buffer): boolean {
  try {
    return mount.unmountUnused();
  } catch (error) {
    tellFailure(directory, error);
    return false;
  }
}

function tellFailure(directory: Buffer, error: unknown): void {
  process.stderr.write(`shoal: cannot unmount ${showBytes(directory)}: ${toShoalError(error).message}\n`);
}
