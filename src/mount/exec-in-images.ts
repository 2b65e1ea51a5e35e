import { realpathSync } from 'node:fs';
import { isShoalError, ShoalError } from '../base/errors.ts';
import type { NativeCommand, ProcessEnd } from '../native/addon.ts';
import { loadAddon, toShoalError } from '../native/load.ts';
import type { MountOptions } from './mount-options.ts';

/** An image and the directory on which the command sees it: by default `/mnt`, which every Linux has. */
export interface ImageMount {
  readonly image: string | Buffer;
  readonly directory?: string | Buffer | undefined;
}

/** How a command ended. */
export interface CommandEnd {
  /** As shells count: its exit status, or 128 and the number of the signal that killed it. */
  readonly status: number;
  /** Number of the signal that killed it. */
  readonly signal?: number;
}

/**
 * Runs a command that sees the images on their directories, and resolves when it has ended. Nobody else sees the mounts: they are in a mount namespace of
 * the command and what it starts, which needs no privileges and no helper. Several images on one directory are shown as one tree, of which
 * later ones win; a directory may lie in an image before it.
 *
 * The command has this process's standard input and output, environment and process group, and gets the signals that are sent to this process
 * alone. It is killed when this process ends. What it leaves running in the background is served for as long as this process lives. One command
 * at a time.
 *
 * @throws ShoalError and the command was not run. `usage`: a directory is missing, or hides the working directory. `permission`: namespaces are
 * forbidden here; the message says by what. `missing` with the command's name as path: there is no such program. Else what is wrong with an
 * image or with FUSE here, with the cure.
 *
 * @example
 * ```ts
 * const { status } = await execInImages([{ image: 'train.shoal', directory: '/data' }], ['python3', 'train.py']);
 * ```
 */
export async function execInImages(
  mounts: readonly ImageMount[],
  command: readonly (string | Buffer)[],
  options: MountOptions = {},
): Promise<CommandEnd> {
  const prepared = await prepareCommand(mounts, command, options, standardDescriptors);
  return toCommandEnd(await prepared.run());
}

/** A command whose images are mounted and served. */
export interface PreparedCommand {
  /** Runs it and resolves when it has ended. Throws a ShoalError, `missing` where there is no such program, if it cannot be run. */
  run(): Promise<ProcessEnd>;
}

/** Input, output and errors. */
const standardDescriptors = [0, 1, 2];

/** {@link execInImages} up to the point where the command is run, which gets these open descriptors. */
export async function prepareCommand(
  mounts: readonly ImageMount[],
  command: readonly (string | Buffer)[],
  options: MountOptions,
  descriptors: readonly number[],
): Promise<PreparedCommand> {
  checkOptions(options);
  if (command.length === 0) throw new ShoalError('usage', 'expected a command to run, found none');
  const groups = groupByDirectory(mounts);
  const native = start(groups, command.map(toBytes), descriptors);
  const prepared = { run: () => orKill(native, () => native.run()).then(() => native.ended()) };
  try {
    await orKill(native, () => serveAll(native, groups, options));
  } catch (error) {
    // By whatever killed it, it is told as any command that was killed.
    if (!isShoalError(error, 'cancelled')) throw error;
  }
  return prepared;
}

/** Ends this process as the command ended, by the same signal if it was one: whoever waits for this process cannot tell it from the command. */
export function endAs(end: ProcessEnd): never {
  return loadAddon().endAs(end);
}

/** Images that are shown on one directory. */
interface Group {
  readonly directory: Buffer;
  readonly images: Buffer[];
}

/** In the order in which directories are first named. */
function groupByDirectory(mounts: readonly ImageMount[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { image, directory = '/mnt' } of mounts) {
    const path = resolveDirectory(toBytes(directory));
    const key = path.toString('latin1');
    const group = groups.get(key) ?? { directory: path, images: [] };
    group.images.push(toBytes(image));
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Its one name; as it was given where it is still to come, within an image before. */
function resolveDirectory(directory: Buffer): Buffer {
  try {
    return realpathSync(directory, 'buffer');
  } catch {
    return absolute(directory);
  }
}

function absolute(path: Buffer): Buffer {
  if (path[0] === 0x2f) return path;
  try {
    return Buffer.concat([realpathSync('.', 'buffer'), Buffer.from('/'), path]);
  } catch {
    return path; // The working directory is gone: nothing will be found at it.
  }
}

function start(groups: readonly Group[], command: readonly Buffer[], descriptors: readonly number[]): NativeCommand {
  try {
    const mounts = groups.map(({ directory, images }) => ({ source: absolute(images[0] as Buffer), directory }));
    return loadAddon().startCommand(mounts, command, descriptors);
  } catch (error) {
    throw toShoalError(error);
  }
}

/** The process mounts one after the other, as a directory may lie within the mount before. */
async function serveAll(native: NativeCommand, groups: readonly Group[], options: MountOptions): Promise<void> {
  for (const { images } of groups) {
    const device = await native.nextDevice();
    if (device === undefined) throw new ShoalError('internal', 'expected the device of a mount, found none');
    await loadAddon().mount(images, device, options);
  }
  await native.nextDevice();
}

/** Leaves no process behind. */
async function orKill(native: NativeCommand, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const failure = toShoalError(error);
    if (failure.code !== 'cancelled') {
      native.kill();
      await native.ended();
    }
    throw failure;
  }
}

/** Refuses what has no meaning for a mount that only the command sees. */
function checkOptions({ allowOther, notifyPipe, timeout }: MountOptions): void {
  const refuse = (name: string, reason: string) => {
    throw new ShoalError('usage', `the mount option "${name}" is refused: ${reason}`);
  };
  if (allowOther !== undefined)
    refuse('allow_other', 'the mount is for the command and what it starts, whoever runs it');
  if (notifyPipe !== undefined) refuse('notify_pipe', 'the command is run when the mount is ready');
  if (timeout !== undefined) refuse('timeout', 'the mount ends with the command');
}

function toCommandEnd({ status, signal }: ProcessEnd): CommandEnd {
  return signal === 0 ? { status } : { status: 128 + signal, signal };
}

function toBytes(path: string | Buffer): Buffer {
  return typeof path === 'string' ? Buffer.from(path) : path;
}
