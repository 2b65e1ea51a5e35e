import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../src/io/system-error.ts';

/** CAP_SYS_ADMIN, capability 21 (capabilities(7)): what mount(2) asks for. */
const mayMountBit = 1n << 21n;

/** Why no image can be mounted here, and the cure, in one line; undefined where nothing speaks against it. */
export function fuseUnavailable(): string | undefined {
  if (process.platform !== 'linux')
    return `mounting needs Linux, this is ${process.platform}; shoal extract works without`;
  try {
    closeSync(openSync('/dev/fuse', constants.O_RDWR));
  } catch (error) {
    const name = systemCode(error);
    if (name === 'EACCES' || name === 'EPERM') {
      return '/dev/fuse may not be opened by this user; as root run chmod 666 /dev/fuse, or in a container pass --device /dev/fuse';
    }
    return '/dev/fuse is not there; as root run modprobe fuse, or in a container pass --device /dev/fuse';
  }
  if (mayMount() || isInstalled('fusermount3') || isInstalled('fusermount')) return undefined;
  return 'mounting without privileges needs fusermount3; install the package fuse3, or run as root (in a container: --cap-add SYS_ADMIN)';
}

function mayMount(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return (BigInt(`0x${effective ?? '0'}`) & mayMountBit) !== 0n;
}

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
