import { lstatSync, readdirSync, readlinkSync } from 'node:fs';

/**
 * The open descriptors that whoever started this process left to it: the standard ones and, say, a lock, a process substitution of the shell, the
 * jobserver of make or the socket of an MPI launcher. Node has set close-on-exec on them as it does on its own, which are left out here:
 * event descriptors, and pipes of which both ends are here, unless our parent has them, too.
 *
 * To be called before anything is opened.
 */
export function inheritedDescriptors(): number[] {
  const descriptors = descriptorsOf('self');
  const writable = new Set(descriptors.filter(({ writes }) => writes).map(({ target }) => target));
  const readable = new Set(descriptors.filter(({ writes }) => !writes).map(({ target }) => target));
  const ofParent = new Set(descriptorsOf(String(process.ppid)).map(({ target }) => target));
  const isOwn = ({ number, target }: Descriptor) =>
    number > 2 &&
    (target.startsWith('anon_inode:') ||
      (target.startsWith('pipe:') && writable.has(target) && readable.has(target) && !ofParent.has(target)));
  return descriptors.filter((descriptor) => !isOwn(descriptor)).map(({ number }) => number);
}

interface Descriptor {
  readonly number: number;
  /** What it is open on: `pipe:[INODE]`, a path. */
  readonly target: string;
  readonly writes: boolean;
}

/** Permission to write, of the link that stands for a descriptor (proc(5)). */
const writeBit = 0o200;

/** Open descriptors of a process; none of one that may not be looked at. */
function descriptorsOf(process: string): Descriptor[] {
  const directory = `/proc/${process}/fd`;
  try {
    return readdirSync(directory).flatMap((name) => describe(Number(name), `${directory}/${name}`));
  } catch {
    return [];
  }
}

function describe(number: number, link: string): Descriptor[] {
  try {
    return [{ number, target: readlinkSync(link), writes: (lstatSync(link).mode & writeBit) !== 0 }];
  } catch {
    return []; // It was that of the listing.
  }
}
