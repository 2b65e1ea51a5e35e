import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { loadAddon, toShoalError } from '../native/load.ts';
import { askLease, type Lease } from './lease.ts';
import { describeOptions } from './mount-options.ts';
import type { DirectoryPlan } from './mount-plan.ts';
import { checkEmptyDirectory, isStale, serverIsStuck } from './mount-point.ts';
import { untilNoServerStarts } from './mount-point-lock.ts';
import { type MountedFilesystem, mountAt, shoalType } from './mountinfo.ts';

/** A server that says that it is ending has unmounted, and ends when its last reader has left, or after its time of grace. */
const endMilliseconds = 10_000;

/** If what the plan wants is served there already, its server, which from then on serves for the plan, too. Needs no lock. Throws `busy` if it is stuck. */
export async function holdServed(plan: DirectoryPlan): Promise<Lease | undefined> {
  const mounted = mountAt(plan.target);
  if (mounted?.type !== shoalType) return undefined;
  const line = await askLease(mounted.device);
  if (line === 'silent') throw serverIsStuck(plan.target);
  if (line === 'none') return undefined;
  try {
    if (difference(line.lease, plan) !== undefined) return undefined;
    return (await line.hold(plan.options.holder)) === 'held' ? line.lease : undefined;
  } finally {
    line.close();
  }
}

/**
 * Makes way at the mount point, to be called with its lock held; or returns as {@link holdServed}. Takes away what a killed server left.
 *
 * @throws ShoalError `busy` where something else is mounted. `usage` where files would be hidden.
 */
export async function clearMountPoint(plan: DirectoryPlan): Promise<Lease | undefined> {
  await untilNoServerStarts(plan.target);
  const mounted = mountAt(plan.target);
  if (mounted === undefined) {
    await checkEmptyDirectory(plan.target);
    return undefined;
  }
  if (mounted.type !== shoalType) throw occupied(plan, mounted, 'another filesystem');
  const line = await askLease(mounted.device);
  if (line === 'silent') throw serverIsStuck(plan.target);
  if (line === 'none') {
    if (!(await isStale(mounted))) throw occupied(plan, mounted, 'a mount whose server cannot be asked from here');
    await takeAway(plan.target);
    return clearMountPoint(plan);
  }
  try {
    const different = difference(line.lease, plan);
    if (different !== undefined) throw occupied(plan, mounted, different);
    const answer = await line.hold(plan.options.holder);
    if (answer === 'held') return line.lease;
    if (answer === 'unknown-process') throw unknownHolder(plan);
    await line.ended(endMilliseconds);
  } finally {
    line.close();
  }
  return clearMountPoint(plan);
}

function difference(lease: Lease, plan: DirectoryPlan): string | undefined {
  const { holder: _, ...options } = plan.options;
  if (lease.ids.join() !== plan.ids.join()) return 'another image';
  return lease.options === describeOptions(options) ? undefined : 'this image with other options';
}

async function takeAway(directory: Buffer): Promise<void> {
  try {
    await loadAddon().unmount(directory, true);
  } catch (error) {
    throw toShoalError(error);
  }
}

function unknownHolder({ target, options }: DirectoryPlan): ShoalError {
  const message =
    `this image is mounted here already, but its server sees no process ${options.holder?.pid} that could hold a lease; ` +
    'it has ended, or runs in another container than the server';
  return new ShoalError('busy', message, { path: showBytes(target) });
}

function occupied(plan: DirectoryPlan, mounted: MountedFilesystem, what: string): ShoalError {
  const cure =
    mounted.type === shoalType ? 'run shoal unmount first, or name another directory' : 'name another directory';
  const found = `${what} (${showBytes(mounted.source)}, ${mounted.type})`;
  return new ShoalError('busy', `expected nothing mounted here, found ${found}; ${cure}`, {
    path: showBytes(plan.target),
  });
}
