import { readdirSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import type { Entry } from '../image/entry.ts';
import type { Image } from '../image/image.ts';
import { openImage } from '../image/open-image.ts';
import { loadAddon, toShoalError } from '../native/load.ts';
import { type FuseNative, type FuseNativeClass, loadFuseNative } from './fuse-native.ts';
import { JsOperations } from './js-operations.ts';
import { toText } from './js-tree.ts';
import type { MountOptions } from './mount-options.ts';
import { mountAt } from './mountinfo.ts';
import type { ServedTree } from './served-tree.ts';

/** The options that this engine honours, and those that are none of its business. Others would be promises that it does not keep. */
const honoured: ReadonlySet<string> = new Set<keyof MountOptions>([
  'engine',
  'uid',
  'gid',
  'umask',
  'fmask',
  'dmask',
  'allowOther',
  'subdir',
  'notifyPipe',
  'entryTimeout',
  'attrTimeout',
  'negativeTimeout',
]);

/** An image never changes: 136 years, as in native/fuse/tuning.h. */
const forEver = 0xffff_ffff;

/** Bytes for the mount point and for the options in fuse-native; it cuts off what is longer. */
const maxText = 1023;

/** fuse-native tells nobody when a session ends, but closes its descriptor. It is looked at so often. */
const endedMilliseconds = 50;

/**
 * Mounts an image on `directory` and serves it from this process's JavaScript thread: the portable reference, which the native engine is held
 * against. A synchronous system call of this thread to the mount would wait for itself for ever.
 *
 * @throws ShoalError `unsupported` where fuse-native is missing, or cannot do what is asked.
 */
export async function startJsEngine(
  images: readonly Buffer[],
  directory: Buffer,
  options: MountOptions,
): Promise<ServedTree> {
  checkOptions(options);
  const [path, ...others] = images;
  if (path === undefined || others.length > 0) {
    throw new ShoalError('unsupported', 'engine=js serves one image, found several; mount them without engine=js');
  }
  const Fuse = loadFuseNative();
  const image = openImage(path);
  try {
    const operations = new JsOperations(image, findRoot(image, options.subdir), options, logLine);
    const before = deviceDescriptors();
    const fuse = new (withExactSizes(Fuse, libfuseOptions(path, options)))(mountPoint(directory), operations, {
      timeout: false,
    });
    await mount(fuse, directory);
    const descriptor = deviceDescriptors().find((each) => !before.includes(each));
    const device = mountAt(directory)?.device;
    return {
      ended: closed(descriptor).then(() => image.close()),
      unmount: async () => {
        if (!(await unmount(directory, device, false))) await unmount(directory, device, true);
      },
      unmountUnused: () => unmount(directory, device, false),
      requests: () => operations.requests,
    };
  } catch (error) {
    image.close();
    throw error;
  }
}

function checkOptions(options: MountOptions): void {
  const other = Object.entries(options).find(([name, value]) => value !== undefined && !honoured.has(name))?.[0];
  if (other === undefined) return;
  const name = other.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  throw new ShoalError(
    'usage',
    `the mount option ${name} is one of the native engine; mount without it, or without engine=js`,
  );
}

function findRoot(image: Image, subdir: Buffer | undefined): Entry {
  const root = image.index.resolvePath(subdir ?? Buffer.alloc(0));
  if (root?.kind === 'directory') return root;
  const found = root === undefined ? 'nothing' : `a ${root.kind ?? 'file'}`;
  const path = showBytes(subdir ?? Buffer.alloc(0));
  throw new ShoalError(
    'missing',
    `expected a directory in the image for subdir, found ${found}; shoal ls shows what there is`,
    { path },
  );
}

function mountPoint(directory: Buffer): string {
  const text = toText(directory);
  if (text !== undefined && directory.length <= maxText) return text;
  const message = `engine=js mounts on paths of UTF-8 up to ${maxText} bytes only; name another directory, or mount without engine=js`;
  throw new ShoalError('unsupported', message, { path: showBytes(directory) });
}

/** What libfuse 2.9 takes after `-o`. */
function libfuseOptions(source: Buffer, options: MountOptions): string {
  const { allowOther = false, entryTimeout = forEver, attrTimeout = forEver, negativeTimeout = forEver } = options;
  const list = [
    'ro,nosuid,nodev,noatime,default_permissions,subtype=shoal',
    // Inode numbers as given; pages stay in the kernel's cache from one open to the next.
    'use_ino,kernel_cache',
    `entry_timeout=${entryTimeout},attr_timeout=${attrTimeout},negative_timeout=${negativeTimeout}`,
    ...(allowOther ? ['allow_other'] : []),
  ].join();
  // What mountinfo and df show.
  const name = (toText(source) ?? '').replace(/[\\,]/g, '\\$&');
  const named = `-o${list},fsname=${name === '' ? 'shoal' : name}`;
  return Buffer.byteLength(named) <= maxText ? named : `-o${list},fsname=shoal`;
}

/** fuse-native knows no option for inode numbers, and hands libfuse more bytes of an attribute than were asked for. */
function withExactSizes(Fuse: FuseNativeClass, libfuseArgument: string): FuseNativeClass {
  return class extends Fuse {
    override _fuseOptions(): string {
      return libfuseArgument;
    }

    override _op_getxattr: FuseNative['_op_getxattr'] = (signal, path, name, into, position) =>
      this.ops.getxattr(path, name, position, (error, value) => signal(putSized(error, value, into), into.buffer));

    override _op_listxattr: FuseNative['_op_listxattr'] = (signal, path, into) =>
      this.ops.listxattr(path, (error, names) => {
        const list = names === undefined ? undefined : Buffer.from(names.map((name) => `${name}\0`).join(''));
        signal(putSized(error, list, into), into.buffer);
      });
  };
}

/** The result of getxattr(2) and listxattr(2): a buffer of no bytes asks how many there are. */
function putSized(error: number, bytes: Buffer | undefined, into: Buffer): number {
  if (bytes === undefined) return error;
  if (into.length > 0 && bytes.length > into.length) return -constants.errno.ERANGE;
  bytes.copy(into);
  return bytes.length;
}

function mount(fuse: FuseNative, directory: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    fuse.mount((error) => {
      if (error === null) return resolve();
      const message = `libfuse cannot mount (${error.message}); engine=js needs /dev/fuse, and for users other than root the program fusermount (package fuse, or fuse3 with a link fusermount to fusermount3)`;
      reject(new ShoalError('io', message, { path: showBytes(directory), cause: error }));
    });
  });
}

/** Descriptors of this process that are sessions of FUSE. */
function deviceDescriptors(): string[] {
  return readdirSync('/proc/self/fd').filter(isDevice);
}

function isDevice(descriptor: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`) === '/dev/fuse';
  } catch {
    return false; // It is closed.
  }
}

function closed(descriptor: string | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (descriptor !== undefined && isDevice(descriptor)) return;
      clearInterval(timer);
      resolve();
    }, endedMilliseconds);
  });
}

/** Leaves alone what others mounted there after this mount was taken away. False if somebody uses the mount. */
async function unmount(directory: Buffer, device: string | undefined, lazy: boolean): Promise<boolean> {
  if (mountAt(directory)?.device !== device) return true;
  try {
    await loadAddon().unmount(directory, lazy);
  } catch (error) {
    const failure = toShoalError(error);
    if (failure.code === 'busy') return false;
    if (failure.code !== 'missing') throw failure;
  }
  return true;
}

/** One line on standard error, as the addon writes it. */
function logLine(line: string): void {
  process.stderr.write(`shoal: ${line}\n`);
}
