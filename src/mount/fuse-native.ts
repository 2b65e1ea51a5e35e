import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { ShoalError } from '../base/errors.ts';

/** As stat(2), times in milliseconds since 1970. */
export interface FuseStat {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly nlink: number;
  readonly ino: number;
  readonly rdev: number;
  readonly blksize: number;
  readonly blocks: number;
  readonly atime: number;
  readonly mtime: number;
  readonly ctime: number;
}

/** As statvfs(3). */
export interface FuseStatfs {
  readonly bsize: number;
  readonly frsize: number;
  readonly blocks: number;
  readonly files: number;
  readonly namemax: number;
}

/** Errors are negative errnos, 0 is success. Paths are absolute within the mount, bytes that are no UTF-8 replaced by U+FFFD. */
export interface FuseOperations {
  getattr(path: string, done: (error: number, stat?: FuseStat) => void): void;
  readdir(path: string, done: (error: number, names?: readonly string[], stats?: readonly FuseStat[]) => void): void;
  readlink(path: string, done: (error: number, target?: string) => void): void;
  open(path: string, flags: number, done: (error: number, handle?: number) => void): void;
  /** `done` gets the number of bytes put into `into`, or an error. */
  read(
    path: string,
    handle: number,
    into: Buffer,
    length: number,
    offset: number,
    done: (result: number) => void,
  ): void;
  release(path: string, handle: number, done: (error: number) => void): void;
  statfs(path: string, done: (error: number, statfs?: FuseStatfs) => void): void;
  getxattr(path: string, name: string, position: number, done: (error: number, value?: Buffer) => void): void;
  listxattr(path: string, done: (error: number, names?: readonly string[]) => void): void;
}

/** The class of fuse-native 2.2.6, in the parts that are used here; those with an underscore are its own, which is why its version is pinned. */
export interface FuseNative {
  readonly ops: FuseOperations;
  mount(done: (error: Error | null) => void): void;
  /** libfuse's argument: `-o` and a list. */
  _fuseOptions(): string;
  _op_getxattr(
    signal: (result: number, buffer: ArrayBufferLike) => void,
    path: string,
    name: string,
    into: Buffer,
    position: number,
  ): void;
  _op_listxattr(signal: (result: number, buffer: ArrayBufferLike) => void, path: string, into: Buffer): void;
}
export type FuseNativeClass = new (
  directory: string,
  operations: FuseOperations,
  options: { readonly timeout: false },
) => FuseNative;

/** RTLD_NODELETE of dlopen(3), which Node does not name: the library stays when Node closes it again because it is no addon. */
const keepLoaded = 0x1000;

/**
 * The package fuse-native. Its addon needs libfuse.so.2, which no distribution installs by default; a copy lies in the package, where the
 * dynamic linker does not look. A library that is loaded already it takes by its soname, so the copy is loaded first.
 *
 * @throws ShoalError `unsupported`, saying what to install.
 */
export function loadFuseNative(): FuseNativeClass {
  const require = createRequire(import.meta.url);
  try {
    const folder = dirname(require.resolve('fuse-native/package.json'));
    const library = join(folder, 'prebuilds', `${process.platform}-${process.arch}`, 'libfuse.so');
    if (existsSync(library)) loadLibrary(library);
    return require('fuse-native') as FuseNativeClass;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error);
    throw new ShoalError(
      'unsupported',
      `engine=js needs the npm package fuse-native 2.2.6, which does not load here (${reason}); install it with npm install fuse-native@2.2.6, or mount without engine=js`,
      { cause: error },
    );
  }
}

function loadLibrary(path: string): void {
  try {
    process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_NOW | keepLoaded);
  } catch {
    // Node says that it is no addon, which is so. If it could not be loaded at all, fuse-native says what is missing.
  }
}
