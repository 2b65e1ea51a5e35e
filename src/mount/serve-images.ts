import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { version } from '../base/version.ts';
import { openImage } from '../image/open-image.ts';
import { toShoalError } from '../native/load.ts';
import { IdleWatch } from './idle-watch.ts';
import { type Answers, announceLease } from './lease.ts';
import type { LeaseHolder } from './lease-holder.ts';
import { LeaseHolders } from './lease-holders.ts';
import { keepMetricsFile } from './metrics-file.ts';
import { metricsText } from './metrics-text.ts';
import { describeOptions, type MountOptions } from './mount-options.ts';
import { withServerLock } from './mount-point-lock.ts';
import { mountAt } from './mountinfo.ts';
import { notify } from './notify-pipe.ts';
import type { ServedTree } from './served-tree.ts';
import { startEngine } from './start-engine.ts';
import { type StatisticsAnswer, statisticsQuestion } from './statistics.ts';

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
 * descriptor, see {@link mountDescriptor}) and serves it from this process until it is unmounted, by whomever, or this process
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
    const { mount, lease, metrics } = await withServerLock(directory, () =>
      mountAndTell(images, directory, options, hold, onReady),
    );
    becomeReady();
    // Nobody is told any more that the image is served here once it is not.
    ended.signal.addEventListener('abort', lease.close);
    if (options.notifyPipe !== undefined) void notify(options.notifyPipe, 's', ended.signal);
    if (options.timeout) {
      idle = new IdleWatch(options.timeout, mount.requests, async () => {
        const unmounted = await unmountUnused(mount, directory);
        if (unmounted) ended.abort();
        return unmounted;
      });
    }
    const graceOver = Promise.race([stop, holders.gone]).then(async () => {
      ended.abort();
      await unmount(mount, directory);
      await new Promise<void>((resolve) => setTimeout(resolve, graceMilliseconds).unref());
    });
    await Promise.race([mount.ended, graceOver]);
    await metrics?.close();
  } finally {
    ended.abort();
    idle?.close();
    holders.close();
  }
}

interface Told {
  readonly mount: ServedTree;
  readonly lease: { close(): void };
  readonly metrics: { close(): Promise<void> } | undefined;
}

/** Mounts, and answers whoever asks what is mounted; or leaves nothing behind. */
async function mountAndTell(
  images: readonly Buffer[],
  directory: Buffer,
  options: MountOptions,
  hold: (holder: LeaseHolder | undefined) => Promise<boolean>,
  onReady: () => void | Promise<void>,
): Promise<Told> {
  const path = showBytes(directory);
  // Another server may have waited for the same: that of a command which was killed.
  if (mountAt(directory) !== undefined) throw new ShoalError('busy', 'somebody else has just mounted here', { path });
  const ids = checkImages(images);
  const mount = await startEngine(images, directory, options);
  let lease: { close(): void } | undefined;
  try {
    const device = mountAt(directory)?.device;
    if (device === undefined) {
      throw new ShoalError('io', 'expected the mount in /proc/self/mountinfo, found none; it was taken away at once', {
        path,
      });
    }
    const told = { pid: process.pid, ids, options: describeOptions(options) };
    lease = await announceLease(device, told, answersOf(mount), hold);
    const metrics = await keepMetrics(mount, images, directory, options);
    await onReady();
    return { mount, lease, metrics };
  } catch (error) {
    lease?.close();
    await unmount(mount, directory);
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
  const mount = await startEngine(images, descriptor, options);
  await onReady();
  const ended = new AbortController();
  if (options.notifyPipe !== undefined) void notify(options.notifyPipe, 's', ended.signal);
  await Promise.race([mount.ended, stop]);
  ended.abort();
}

function answersOf({ statistics }: ServedTree): Answers {
  return statistics === undefined
    ? {}
    : { [statisticsQuestion]: (): StatisticsAnswer => ({ version, ...statistics() }) };
}

/** Tells of the mount in the file of metrics, if one is wanted, until closed. */
async function keepMetrics(
  { statistics }: ServedTree,
  images: readonly Buffer[],
  directory: Buffer,
  { metrics }: MountOptions,
): Promise<{ close(): Promise<void> } | undefined> {
  if (metrics === undefined || statistics === undefined) return undefined;
  const started = Date.now() / 1000 - statistics().uptime / 1e9;
  let up = true;
  const text = () => metricsText(statistics(), { directory, images, version, started, up });
  const file = await keepMetricsFile(Buffer.from(metrics), text, (line) => process.stderr.write(`shoal: ${line}\n`));
  return {
    close() {
      up = false;
      return file.close();
    },
  };
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
async function unmount(mount: ServedTree, directory: Buffer): Promise<void> {
  try {
    await mount.unmount();
  } catch (error) {
    tellFailure(directory, error);
  }
}

async function unmountUnused(mount: ServedTree, directory: Buffer): Promise<boolean> {
  try {
    return await mount.unmountUnused();
  } catch (error) {
    tellFailure(directory, error);
    return false;
  }
}

function tellFailure(directory: Buffer, error: unknown): void {
  process.stderr.write(`shoal: cannot unmount ${showBytes(directory)}: ${toShoalError(error).message}\n`);
}
