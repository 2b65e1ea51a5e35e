import { isUtf8 } from 'node:buffer';
import { constants } from 'node:os';
import { showBytes } from '../base/entry-path.ts';
import { type ErrorCode, isShoalError } from '../base/errors.ts';
import type { Entry } from '../image/entry.ts';
import type { FileReader } from '../image/file-reader.ts';
import type { Image } from '../image/image.ts';
import { toShoalError } from '../native/load.ts';
import type { FuseOperations, FuseStat, FuseStatfs } from './fuse-native.ts';
import { isText, JsTree, toText } from './js-tree.ts';
import type { MountOptions } from './mount-options.ts';

const { errno } = constants;

/** What native/fuse/operations_attributes.cc tells of the same entries. */
const blockSize = 131_072;
const directorySize = 4096;
const maxNameLength = 255;
const statfsBlock = 4096;

/** Entries told to the log; what is damaged beyond that is one fault of the storage. As in native/fuse/operations.cc. */
const maxTold = 1000;

/** All else is EIO, as ErrnoFromCode in native/core/status.cc has it. */
const errnos: Partial<Record<ErrorCode, number>> = { permission: errno.EACCES, unsupported: errno.EOPNOTSUPP };

/** An answer that is an error, by its errno. */
class Refusal extends Error {
  readonly errno: number;
  constructor(number: number) {
    super();
    this.errno = number;
  }
}

/** Answers requests of the kernel from an image, as native/fuse/operations.cc does, by path. */
export class JsOperations implements FuseOperations {
  readonly #image: Image;
  readonly #tree: JsTree;
  readonly #options: MountOptions;
  readonly #log: (line: string) => void;
  readonly #opened = new Map<number, FileReader>();
  readonly #told = new Set<string>();
  #hiddenTold = false;
  #lastHandle = 0;
  #requests = 0;

  /** `root` is a directory of the image; `log` gets a line for each damaged entry. */
  constructor(image: Image, root: Entry, options: MountOptions, log: (line: string) => void) {
    this.#image = image;
    this.#tree = new JsTree(image.index, root, (entry) => this.#tellHidden(entry));
    this.#options = options;
    this.#log = log;
  }

  get requests(): number {
    return this.#requests;
  }

  getattr(path: string, done: (error: number, stat?: FuseStat) => void): void {
    this.#answer(path, done, (entry) => done(0, this.#stat(entry)));
  }

  readdir(path: string, done: (error: number, names?: readonly string[], stats?: readonly FuseStat[]) => void): void {
    this.#answer(path, done, (directory) => {
      if (directory.kind !== 'directory') throw new Refusal(errno.ENOTDIR);
      const names: string[] = [];
      const stats: FuseStat[] = [];
      for (const { name, entry } of this.#tree.list(directory)) {
        names.push(name);
        stats.push(this.#stat(entry));
      }
      done(0, names, stats);
    });
  }

  readlink(path: string, done: (error: number, target?: string) => void): void {
    this.#answer(path, done, (link) => {
      if (link.kind !== 'symlink') throw new Refusal(errno.EINVAL);
      const target = this.#image.index.linkTarget(link);
      if (!isUtf8(target)) throw new Refusal(errno.EILSEQ);
      done(0, target.toString());
    });
  }

  open(path: string, _flags: number, done: (error: number, handle?: number) => void): void {
    this.#answer(path, done, (file) => {
      if (file.kind !== 'file') throw new Refusal(file.kind === 'directory' ? errno.EISDIR : errno.EINVAL);
      const handle = this.#freeHandle();
      this.#opened.set(handle, this.#image.file(file));
      done(0, handle);
    });
  }

  read(
    path: string,
    handle: number,
    into: Buffer,
    length: number,
    offset: number,
    done: (result: number) => void,
  ): void {
    this.#answer(path, done, () => {
      const reader = this.#opened.get(handle);
      if (reader === undefined) throw new Refusal(errno.EBADF);
      done(reader.read(offset, length).copy(into));
    });
  }

  release(_path: string, handle: number, done: (error: number) => void): void {
    this.#requests++;
    this.#opened.delete(handle);
    done(0);
  }

  statfs(path: string, done: (error: number, statfs?: FuseStatfs) => void): void {
    this.#answer(path, done, () => {
      const { index } = this.#image;
      const { bytes } = index.totals(index.get(0));
      // fuse-native counts with 32 bits.
      let bsize = statfsBlock;
      while (bytes / bsize > 0xffff_ffff) bsize *= 2;
      const blocks = Math.ceil(bytes / bsize);
      done(0, { bsize, frsize: bsize, blocks, files: index.entryCount, namemax: maxNameLength });
    });
  }

  getxattr(path: string, name: string, _position: number, done: (error: number, value?: Buffer) => void): void {
    this.#answer(path, done, (entry) => {
      const found = this.#image.index.xattrs(entry).find((xattr) => toText(xattr.name) === name);
      if (found === undefined) throw new Refusal(errno.ENODATA);
      done(0, found.value);
    });
  }

  listxattr(path: string, done: (error: number, names?: readonly string[]) => void): void {
    this.#answer(path, done, (entry) => {
      const names = this.#image.index.xattrs(entry).map(({ name }) => toText(name));
      done(
        0,
        names.filter((name) => name !== undefined),
      );
    });
  }

  /** Calls `give` with the entry at `path`, or `refuse` with what is wrong. */
  #answer(path: string, refuse: (error: number) => void, give: (entry: Entry) => void): void {
    this.#requests++;
    try {
      const entry = this.#tree.resolve(path);
      if (entry === undefined) throw new Refusal(hasLongName(path) ? errno.ENAMETOOLONG : errno.ENOENT);
      give(entry);
    } catch (error) {
      if (!(error instanceof Refusal)) this.#tell(path, error);
      refuse(-errnoOf(error));
    }
  }

  #stat(entry: Entry): FuseStat {
    const directory = entry.kind === 'directory';
    const { uid = entry.uid, gid = entry.gid } = this.#options;
    // What fuse-native has of a time: milliseconds since 1970.
    const time = Math.min(
      Math.max(0, entry.seconds * 1000 + Math.floor(entry.nanoseconds / 1e6)),
      Number.MAX_SAFE_INTEGER,
    );
    return {
      mode: this.#mode(entry),
      uid,
      gid,
      size: directory ? directorySize : entry.size,
      nlink: entry.nlink,
      ino: entry.number + 1,
      rdev: encodeDevice(entry.deviceMajor, entry.deviceMinor),
      blksize: blockSize,
      blocks: Math.ceil(this.#storedLength(entry) / 512),
      atime: time,
      mtime: time,
      ctime: time,
    };
  }

  #mode(entry: Entry): number {
    const { umask = 0, fmask = umask, dmask = umask, allowOther = false } = this.#options;
    // An access control list cannot be enforced, and without it the group's bits would say what its mask allows: so its owner alone.
    const closed = allowOther && this.#hasAcl(entry) ? 0o077 : 0;
    return entry.mode & ~((entry.kind === 'directory' ? dmask : fmask) | closed);
  }

  #hasAcl(entry: Entry): boolean {
    return this.#image.index.xattrs(entry).some(({ name }) => name.toString('latin1') === 'system.posix_acl_access');
  }

  #storedLength(entry: Entry): number {
    if (entry.kind !== 'file') return 0;
    return this.#image.index.extents(entry).reduce((sum, { length }) => sum + length, 0);
  }

  /** A number above 0 within 31 bits, which is what passes through fuse-native. */
  #freeHandle(): number {
    do {
      this.#lastHandle = (this.#lastHandle % 0x7fff_ffff) + 1;
    } while (this.#opened.has(this.#lastHandle));
    return this.#lastHandle;
  }

  /** Once for each path. */
  #tell(path: string, error: unknown): void {
    if (this.#told.size >= maxTold || this.#told.has(path)) return;
    this.#told.add(path);
    const { message, path: file, offset } = toShoalError(error);
    const place = file === undefined ? '' : ` (${file}${offset === undefined ? '' : `, offset ${offset}`})`;
    const rest = this.#told.size === maxTold ? '; further damaged entries are not listed' : '';
    this.#log(`${showBytes(Buffer.from(path.slice(1)))}: ${message}${place}${rest}`);
  }

  /** Once for the mount. */
  #tellHidden(entry: number): void {
    if (this.#hiddenTold) return;
    this.#hiddenTold = true;
    const path = showBytes(this.#image.index.entryPath(entry));
    this.#log(
      `${path}: names that are no UTF-8 cannot pass through engine=js: this one and others like it are missing`,
    );
  }
}

function hasLongName(path: string): boolean {
  return path.split('/').some((name) => isText(name) && Buffer.byteLength(name) > maxNameLength);
}

function errnoOf(error: unknown): number {
  if (error instanceof Refusal) return error.errno;
  return (isShoalError(error) ? errnos[error.code] : undefined) ?? errno.EIO;
}

/** The kernel's 32-bit form of a device number (new_encode_dev in include/linux/kdev_t.h). */
function encodeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}
