import { readFileSync } from 'node:fs';
import { systemError } from '../io/system-error.ts';

const mountinfo = '/proc/self/mountinfo';

/** The type of Shoal's mounts in mountinfo; native/fuse/mount.cc gives it. */
export const shoalType = 'fuse.shoal';

/** A mount of this process's mount namespace. */
export interface MountedFilesystem {
  readonly directory: Buffer;
  /** `MAJOR:MINOR`, which no other mount on this machine has at the same time. */
  readonly device: string;
  readonly type: string;
  /** What was mounted; for a Shoal mount the path of the image. */
  readonly source: Buffer;
  /** Of a FUSE mount: whose it is. */
  readonly uid: number | undefined;
}

/** What is mounted at exactly `directory` (absolute, without symbolic links): the uppermost mount. Never touches the mount itself, which may hang. */
export function mountAt(directory: Buffer): MountedFilesystem | undefined {
  return parseMountinfo(readMountinfo()).findLast((mount) => mount.directory.equals(directory));
}

function readMountinfo(): Buffer {
  try {
    return readFileSync(mountinfo);
  } catch (error) {
    throw systemError('read the mounts', mountinfo, error);
  }
}

/** All mounts, lower ones before those that cover them (proc(5)). */
export function parseMountinfo(bytes: Buffer): MountedFilesystem[] {
  // Paths are bytes; latin1 keeps each as one character.
  const lines = bytes.toString('latin1').split('\n');
  return lines.flatMap((line) => {
    const fields = line.split(' ');
    // Optional fields lie between the sixth one and a dash.
    const dash = fields.indexOf('-', 6);
    const [device, directory, type, source] = [fields[2], fields[4], fields[dash + 1], fields[dash + 2]];
    if (dash === -1 || !device || !directory || !type || source === undefined) return [];
    const uid = /(?:^|,)user_id=(\d+)/.exec(fields[dash + 3] ?? '')?.[1];
    return [
      {
        device,
        directory: unescapeOctal(directory),
        type,
        source: unescapeOctal(source),
        uid: uid === undefined ? undefined : Number(uid),
      },
    ];
  });
}

/** The kernel writes space, tab, newline and backslash as `\040` and so on. */
function unescapeOctal(text: string): Buffer {
  const raw = text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  return Buffer.from(raw, 'latin1');
}
