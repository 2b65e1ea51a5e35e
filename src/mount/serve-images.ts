import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { version } from '../base/version.ts';
import { openImage } from '../image/open-image.ts';
import { toShoalError } from '../native/load.ts';
import { type Answers, announceLease } from './lease.ts';
import { keepMetricsFile } from './metrics-file.ts';
import { metricsText } from './metrics-text.ts';
import { describeOptions, type MountOptions } from './mount-options.ts';
import { mountAt } from './mountinfo.ts';
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

/** Programs with open files get so long to end after SIGTERM; then their reads fail. */
const graceMilliseconds = 5000;

/** Signals that mean: unmount and end. */
const stopSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * Mounts the images, of which later ones win, on `directory` (as {@link findMountPoint} resolves it, nothing mounted there) and serves it from this
 * process until it is unmounted, by whomever, or this process gets SIGTERM, SIGINT or SIGHUP. Damage that reading meets is told
 * on standard error, once per entry.
 *
 * When it resolves, the process should end: after a signal a program that did not close its files within 5 s may still be served.
 *
 * @throws ShoalError what is wrong with an image, the mount point or FUSE here, with the cure.
 */
export async function serveImages(
  images: readonly Buffer[],
  directory: Buffer,
  options: MountOptions,
  onReady: () => void | Promise<void> = () => {},
): Promise<void> {
  const ids = checkImages(images);
  const signals = hearStopSignals();
  try {
    const mount = await startEngine(images, directory, options);
    const graceOver = signals.heard.then(async () => {
      await unmount(mount, directory);
      await new Promise<void>((resolve) => setTimeout(resolve, graceMilliseconds).unref());
    });
    try {
      const device = mountAt(directory)?.device;
      if (device === undefined) {
        const message = 'expected the mount in /proc/self/mountinfo, found none; it was taken away at once';
        throw new ShoalError('io', message, { path: showBytes(directory) });
      }
      const lease = await announceLease(
        device,
        { pid: process.pid, ids, options: describeOptions(options) },
        answersOf(mount),
      );
      const metrics = await keepMetrics(mount, images, directory, options);
      try {
        await onReady();
        await Promise.race([mount.ended, graceOver]);
      } finally {
        lease.close();
        await metrics?.close();
      }
    } catch (error) {
      await unmount(mount, directory);
      throw error;
    }
  } finally {
    signals.ignore();
  }
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
    process.stderr.write(`shoal: cannot unmount ${showBytes(directory)}: ${toShoalError(error).message}\n`);
  }
}
