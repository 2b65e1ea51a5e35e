import { ShoalError } from '../base/errors.ts';

/** How entries of a mount are shown; what is undefined is as in the image. */
export interface MountOptions {
  readonly uid?: number;
  readonly gid?: number;
  /** Permission bits to take away from every entry. */
  readonly umask?: number;
  /** Lets other users than the one who mounts use it; permissions are checked as everywhere. */
  readonly allowOther?: boolean;
}

/** What mount(8), fstab and systemd put into `-o` and what holds for every Shoal mount anyway, or is meant for them alone. */
const ignored = new Set(
  (
    'defaults,ro,nosuid,nodev,exec,noatime,nodiratime,relatime,norelatime,strictatime,lazytime,nolazytime,async,sync,dirsync,silent,loud,' +
    'auto,noauto,user,nouser,users,owner,group,_netdev,nofail,default_permissions'
  ).split(','),
);

/** Refused with the reason, because to ignore them would promise what does not hold. */
const refused: Readonly<Record<string, string>> = {
  rw: 'an image never changes; mount it without rw',
  suid: 'programs on a mount do not get the rights of their owner; use shoal extract as root instead',
  dev: 'device nodes on a mount cannot be opened; use shoal extract as root instead',
  noexec: 'Shoal does not support it; use umask=111 to take away permission to execute',
};

const maxId = 0xff_ff_ff_fe;
const known = 'uid=, gid=, umask=, allow_other';

/** The options in an `-o` argument: comma-separated, as fstab has them; the last one wins. Throws `usage`. */
export function parseMountOptions(text: string): MountOptions {
  let options: MountOptions = {};
  for (const option of text.split(',').filter((part) => part !== '')) {
    const equals = option.indexOf('=');
    const name = equals === -1 ? option : option.slice(0, equals);
    const value = equals === -1 ? undefined : option.slice(equals + 1);
    if (name === 'uid') options = { ...options, uid: parseId(name, value) };
    else if (name === 'gid') options = { ...options, gid: parseId(name, value) };
    else if (name === 'umask') options = { ...options, umask: parseUmask(value) };
    else if (option === 'allow_other') options = { ...options, allowOther: true };
    else if (!ignored.has(option) && !/^(x-|comment=)/.test(option)) throw unknownOption(option);
  }
  return options;
}

function parseId(name: string, value: string | undefined): number {
  const id = /^\d+$/.test(value ?? '') ? Number(value) : Number.NaN;
  if (id <= maxId) return id;
  throw new ShoalError(
    'usage',
    `expected ${name}=NUMBER up to ${maxId}, found "${value ?? ''}"; id -${name.slice(0, 1)} NAME gives that of a user`,
  );
}

function parseUmask(value: string | undefined): number {
  if (/^[0-7]{1,4}$/.test(value ?? '')) return Number.parseInt(value as string, 8);
  throw new ShoalError('usage', `expected umask=MODE with octal digits up to 7777, found "${value ?? ''}"`);
}

function unknownOption(option: string): ShoalError {
  const reason = refused[option];
  if (reason !== undefined) return new ShoalError('usage', `the mount option "${option}" is refused: ${reason}`);
  return new ShoalError('usage', `expected mount options ${known}, found "${option}"`);
}
