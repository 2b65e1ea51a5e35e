import { ShoalError } from '../base/errors.ts';
import { findLeaseHolder } from './lease-holder.ts';
import { resolveMetricsFile } from './metrics-file.ts';
import { checkMountDescriptor, mountDescriptor } from './mount-descriptor.ts';
import type { MountOptions } from './mount-options.ts';
import { findMountPoint, resolveParent } from './mount-point.ts';
import { checkNotifyPipe } from './notify-pipe.ts';
import { checkImages, type ServeOptions } from './serve-images.ts';

export interface LifeOptions extends MountOptions {
  /**
   * Id of a running process, for as long as which the mount is to live. Where the image is served already, its mount lives for this process, too:
   * it ends with the last of all processes that it was mounted for. Without a lease it stays until it is unmounted.
   */
  readonly lease?: number;
}

/** One image, or several that are shown as one tree: of entries with the same path, that of the later image. */
export type Images = string | Buffer | readonly (string | Buffer)[];

/** What is to be mounted where, found out before any work. */
export interface MountPlan {
  readonly images: readonly Buffer[];
  readonly ids: readonly string[];
  /** A directory as {@link findMountPoint} resolves it, or a descriptor on which others mounted. */
  readonly target: Buffer | number;
  readonly options: ServeOptions;
}

/** A plan with a directory. */
export interface DirectoryPlan extends MountPlan {
  readonly target: Buffer;
}

/** @throws ShoalError whatever is wrong with an image, the mount point or the options. */
export async function planMount(images: Images, directory: Buffer, options: LifeOptions): Promise<MountPlan> {
  const descriptor = mountDescriptor(directory);
  if (descriptor !== undefined) checkForDescriptor(descriptor, options);
  const serveOptions = await resolveOptions(options);
  const paths = (typeof images === 'string' || Buffer.isBuffer(images) ? [images] : images).map(toBytes);
  if (paths.length === 0) throw new ShoalError('usage', 'expected at least one image, found none');
  const ids = checkImages(paths);
  const target = descriptor ?? (await findMountPoint(directory)).directory;
  // Not a link at an image itself: its volumes lie beside it under the name that was given.
  return { images: await Promise.all(paths.map(resolveParent)), ids, target, options: serveOptions };
}

export function onDirectory(plan: MountPlan): plan is DirectoryPlan {
  return typeof plan.target !== 'number';
}

export function toBytes(path: string | Buffer): Buffer {
  return typeof path === 'string' ? Buffer.from(path) : path;
}

function checkForDescriptor(descriptor: number, { lease, timeout, metrics }: LifeOptions): void {
  const unusable = lease !== undefined ? 'lease' : timeout ? 'timeout' : undefined;
  if (metrics !== undefined) {
    const message = `expected no metrics with /dev/fd/${descriptor}: nobody knows where that is mounted, which each sample is to say`;
    throw new ShoalError('usage', message);
  }
  if (unusable !== undefined) {
    const message = `expected no ${unusable} with /dev/fd/${descriptor}: it ends by unmounting, which is for whoever mounted`;
    throw new ShoalError('usage', message);
  }
  checkMountDescriptor(descriptor);
}

/** For a server that stands in another directory, and the process with its start. */
async function resolveOptions({ lease, notifyPipe, metrics, ...options }: LifeOptions): Promise<ServeOptions> {
  if (notifyPipe !== undefined) checkNotifyPipe(notifyPipe);
  return {
    ...options,
    ...(metrics !== undefined && { metrics: await resolveMetricsFile(toBytes(metrics)) }),
    ...(notifyPipe !== undefined && { notifyPipe: await resolveParent(notifyPipe) }),
    ...(lease !== undefined && { holder: findLeaseHolder(lease) }),
  };
}
