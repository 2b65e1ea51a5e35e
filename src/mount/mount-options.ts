import { ShoalError } from '../base/errors.ts';
import { parseSize } from '../base/sizes.ts';

/** What serves a mount: the addon's threads, or JavaScript over fuse-native. */
export const engineNames = ['native', 'js'] as const;
export type EngineName = (typeof engineNames)[number];

/** What may be set of a mount; what is undefined is as in the image, or as the engine does by itself. */
export interface MountOptions {
  /** What serves the mount. Default: `native`. */
  readonly engine?: EngineName;
  /** Owner of every entry. */
  readonly uid?: number;
  readonly gid?: number;
  /** Permission bits to take away: from every entry, from all but directories, from directories. The latter two win where they are given. */
  readonly umask?: number;
  readonly fmask?: number;
  readonly dmask?: number;
  /** Lets other users than the one who mounts use it; permissions are checked as everywhere. */
  readonly allowOther?: boolean;
  /** Nothing of the mount may be executed. */
  readonly noExec?: boolean;
  /** The directory of the image that becomes the root of the mount. */
  readonly subdir?: Buffer;
  /**
   * Unmounts after so many seconds in which the kernel asked nothing, if nobody uses the mount then; 0: never. So that the kernel asks when somebody
   * opens what it has in its cache, skipOpen and skipOpendir are off then unless they are set.
   */
  readonly timeout?: number;
  /** A FIFO that gets the byte `s` when the mount is ready, `f` if it fails. */
  readonly notifyPipe?: Buffer;
  /** A file in which the server tells in Prometheus' text format what the mount does, every 10 s and at its end. */
  readonly metrics?: string | Buffer;
  /** What the volumes lie on; default: what the type of their filesystem says. */
  readonly storage?: 'local' | 'network';
  /** Bytes that the cache of blocks of network storage and of compressed volumes may take. */
  readonly cacheSize?: number;
  /** Whether content is held against its checksums on every read. */
  readonly verify?: boolean;

  /** Answers OPEN and OPENDIR once and for all, so that the kernel sends no more of them. */
  readonly skipOpen?: boolean;
  readonly skipOpendir?: boolean;
  /** Directories are listed with the attributes of their entries. */
  readonly readdirplus?: boolean;
  /** Seconds for which the kernel keeps names, attributes, and that a name is missing; default: for ever. */
  readonly entryTimeout?: number;
  readonly attrTimeout?: number;
  readonly negativeTimeout?: number;
  readonly cacheSymlinks?: boolean;
  /** Lookups and listings of one directory at the same time. */
  readonly parallelDirops?: boolean;
  /** Bytes of the longest READ. */
  readonly maxRead?: number;
  /** Bytes that the kernel reads ahead of a program that reads a file from start to end; more than 128 KiB only where root mounts. */
  readonly readahead?: number;
  /** A descriptor of /dev/fuse for each server thread. */
  readonly cloneFd?: boolean;
  /** Server threads poll for a moment before they sleep. */
  readonly polling?: boolean;
  /** Content that is not verified is moved to the kernel without passing through this process. Default: no, because a copy is faster. */
  readonly splice?: boolean;
  /**
   * FUSE over io_uring, where the kernel offers it, storage is local and `threads` is not given. Default: no, because it wins with several readers at
   * once and loses with one.
   */
  readonly uring?: boolean;
  /** Server threads; default: one for each processor, 2 to 8; 32 where volumes lie on network storage. */
  readonly threads?: number;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
type Parser<Value> = (value: string | undefined, name: string) => Value;
type Entry<Key extends keyof MountOptions> = readonly [Key, Parser<NonNullable<MountOptions[Key]>>];

const maxId = 0xff_ff_ff_fe;

/** Names in `-o`: those of squashfuse and libfuse where they have one for the same. */
const known: Readonly<Record<string, { [Key in keyof MountOptions]-?: Entry<Key> }[keyof MountOptions]>> = {
  engine: ['engine', parseEngine],
  uid: ['uid', parseId],
  gid: ['gid', parseId],
  umask: ['umask', parseMode],
  fmask: ['fmask', parseMode],
  dmask: ['dmask', parseMode],
  allow_other: ['allowOther', parseFlag],
  noexec: ['noExec', parseFlag],
  subdir: ['subdir', parsePath],
  timeout: ['timeout', parseSeconds],
  notify_pipe: ['notifyPipe', parsePath],
  metrics: ['metrics', parsePath],
  storage: ['storage', parseStorage],
  cache_size: ['cacheSize', parseBytes],
  verify: ['verify', parseSwitch],
  skip_open: ['skipOpen', parseSwitch],
  skip_opendir: ['skipOpendir', parseSwitch],
  readdirplus: ['readdirplus', parseSwitch],
  entry_timeout: ['entryTimeout', parseSeconds],
  attr_timeout: ['attrTimeout', parseSeconds],
  negative_timeout: ['negativeTimeout', parseSeconds],
  cache_symlinks: ['cacheSymlinks', parseSwitch],
  parallel_dirops: ['parallelDirops', parseSwitch],
  max_read: ['maxRead', parseBytes],
  readahead: ['readahead', parseBytes],
  clone_fd: ['cloneFd', parseSwitch],
  polling: ['polling', parseSwitch],
  splice: ['splice', parseSwitch],
  uring: ['uring', parseSwitch],
  threads: ['threads', parseThreads],
};

/**
 * What mount(8), mount.fuse3, fstab and systemd put into `-o` without being asked, and what is meant for them alone. A Shoal mount is read-only,
 * without set-user-ID programs and devices, whatever they say.
 */
const ignored = new Set(
  (
    'defaults,ro,rw,suid,nosuid,dev,nodev,atime,noatime,diratime,nodiratime,relatime,norelatime,strictatime,nostrictatime,lazytime,' +
    'nolazytime,async,sync,dirsync,iversion,noiversion,mand,nomand,silent,loud,auto,noauto,user,nouser,users,owner,group,_netdev,nofail,' +
    'default_permissions'
  ).split(','),
);
const ignoredForms = /^(?:x-|X-|comment=|user=)/;

/**
 * The options in an `-o` argument: comma-separated, as fstab has them, a comma in a value after a backslash; the last one wins. Values are
 * bytes. Throws `usage`.
 */
export function parseMountOptions(list: string | Buffer): MountOptions {
  const options: Writable<MountOptions> = {};
  for (const { option, name, value } of splitOptions(list)) {
    const entry = Object.hasOwn(known, name) ? known[name] : undefined;
    if (entry !== undefined) Object.assign(options, { [entry[0]]: entry[1](value, name) });
    else if (option === 'exec') delete options.noExec;
    else if (!ignored.has(option) && !ignoredForms.test(option)) throw unknownOption(option);
  }
  return options;
}

/** The `notify_pipe` in an `-o` argument of which the rest may be mistaken. */
export function findNotifyPipe(list: string | Buffer): Buffer | undefined {
  const value = splitOptions(list).findLast(({ name }) => name === 'notify_pipe')?.value;
  return value ? Buffer.from(value, 'latin1') : undefined;
}

function splitOptions(list: string | Buffer): { option: string; name: string; value: string | undefined }[] {
  // One character for each byte.
  const text = Buffer.from(list).toString('latin1');
  return (text.match(/(?:\\.|[^,\\])+/gs) ?? []).map((part) => {
    const option = part.replace(/\\(.)/gs, '$1');
    const equals = option.indexOf('=');
    if (equals === -1) return { option, name: option, value: undefined };
    return { option, name: option.slice(0, equals), value: option.slice(equals + 1) };
  });
}

/** Nothing that a mount shows: one that is there already needs no other of them. */
const unseen: readonly string[] = ['notifyPipe', 'metrics'] satisfies (keyof MountOptions)[];

/** What tells whether two mounts show the same: their options as one text, whatever their order. */
export function describeOptions(options: MountOptions): string {
  const set = Object.entries(options).filter(([name, value]) => value !== undefined && !unseen.includes(name));
  return JSON.stringify(Object.fromEntries(set.sort(([a], [b]) => (a < b ? -1 : 1))));
}

function parseEngine(value: string | undefined): EngineName {
  const engine = engineNames.find((name) => name === value);
  if (engine !== undefined) return engine;
  throw new ShoalError('usage', `expected engine=${engineNames.join(' or engine=')}, found "${value ?? ''}"`);
}

function parseId(value: string | undefined, name: string): number {
  const id = /^\d+$/.test(value ?? '') ? Number(value) : Number.NaN;
  if (id <= maxId) return id;
  throw new ShoalError(
    'usage',
    `expected ${name}=NUMBER up to ${maxId}, found "${value ?? ''}"; id -${name.slice(0, 1)} NAME gives that of a user`,
  );
}

function parseMode(value: string | undefined, name: string): number {
  if (/^[0-7]{1,4}$/.test(value ?? '')) return Number.parseInt(value as string, 8);
  throw new ShoalError('usage', `expected ${name}=MODE with octal digits up to 7777, found "${value ?? ''}"`);
}

function parseFlag(value: string | undefined, name: string): boolean {
  if (value === undefined) return true;
  throw new ShoalError('usage', `expected ${name} without a value, found "${value}"`);
}

function parseSwitch(value: string | undefined, name: string): boolean {
  if (value === undefined || value === 'yes') return true;
  if (value === 'no') return false;
  throw new ShoalError('usage', `expected ${name}=yes or ${name}=no, found "${value}"`);
}

function parsePath(value: string | undefined, name: string): Buffer {
  if (value) return Buffer.from(value, 'latin1');
  throw new ShoalError('usage', `expected ${name}=PATH, found no path`);
}

function parseSeconds(value: string | undefined, name: string): number {
  if (/^\d{1,9}(\.\d{1,9})?$/.test(value ?? '')) return Number(value);
  throw new ShoalError('usage', `expected ${name}=SECONDS, found "${value ?? ''}"`);
}

function parseBytes(value: string | undefined, name: string): number {
  try {
    return parseSize(value ?? '');
  } catch {
    throw new ShoalError('usage', `expected ${name}=SIZE such as 64K or 4G, found "${value ?? ''}"`);
  }
}

function parseStorage(value: string | undefined): 'local' | 'network' {
  if (value === 'local' || value === 'network') return value;
  throw new ShoalError('usage', `expected storage=local or storage=network, found "${value ?? ''}"`);
}

function parseThreads(value: string | undefined): number {
  const count = /^\d{1,3}$/.test(value ?? '') ? Number(value) : 0;
  if (count >= 1 && count <= 256) return count;
  throw new ShoalError('usage', `expected threads=NUMBER from 1 to 256, found "${value ?? ''}"`);
}

function unknownOption(option: string): ShoalError {
  return new ShoalError('usage', `expected mount options ${Object.keys(known).join(', ')}; found "${option}"`);
}
