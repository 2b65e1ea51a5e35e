import { fstatSync } from 'node:fs';
import { ShoalError } from '../base/errors.ts';
import { systemError } from '../io/system-error.ts';

/** 10:229 (Documentation/admin-guide/devices.txt of Linux) as st_rdev has it. */
const fuseDevice = (10 << 8) | 229;

/**
 * The descriptor that `/dev/fd/N` as a mount point stands for, as libfuse has it: /dev/fuse, on which who started us has mounted already
 * (Apptainer, `mount.fuse3 -o drop_privileges`). Undefined for any other path.
 */
export function mountDescriptor(directory: Buffer): number | undefined {
  const digits = /^\/dev\/fd\/(\d{1,9})$/.exec(directory.toString('latin1'))?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Throws `usage` unless the descriptor is an open /dev/fuse. */
export function checkMountDescriptor(descriptor: number): void {
  const path = `/dev/fd/${descriptor}`;
  let device: number;
  try {
    device = fstatSync(descriptor).rdev;
  } catch (error) {
    throw systemError('take over the descriptor', path, error);
  }
  if (device !== fuseDevice) {
    const message = 'expected an open /dev/fuse on which somebody mounted, found something else; name a directory';
    throw new ShoalError('usage', message, { path });
  }
}
