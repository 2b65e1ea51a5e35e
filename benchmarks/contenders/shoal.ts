import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Contender, Mounted, Packed } from '../contender.ts';
import { runCommand } from '../run-command.ts';

const program = fileURLToPath(new URL('../../bin/shoal.js', import.meta.url));
const command = (...options: string[]) => [process.execPath, program, ...options] as const;

export const shoal: Contender = {
  name: 'Shoal',
  kind: 'shoal',
  unavailable: () =>
    existsSync(fileURLToPath(new URL('../../dist/shoal.js', import.meta.url))) ? undefined : 'it is not built',
  pack: ({ source, archive }) => command(isTar(source) ? 'index' : 'pack', source, '-o', archive, '--quiet'),
  mount: (packed, at) => mount(packed, at),
  extract: ({ archive }, into) => command('extract', archive, '-C', into, '--quiet'),
  verify: ({ archive }) => command('verify', archive, '--quiet'),
  readTar: (tar, index) => command('index', tar, '-o', index, '--quiet'),
  start: () => command('--version'),
};

/** Shoal in other circumstances than its row, to be told by a scenario that Shoal is held against. */
export function shoalBut(circumstances: string): Contender {
  return { ...shoal, name: `Shoal, ${circumstances}` };
}

/** Shoal mounted with these options. */
export function shoalMountedWith(options: string): Contender {
  return { ...shoalBut(options), mount: (packed, at) => mount(packed, at, '-o', options) };
}

/** Whether the kernel offers FUSE over io_uring to mounts that are made from now on. */
const uringSwitch = '/sys/module/fuse/parameters/enable_uring';

/** Shoal mounted while the kernel offers FUSE over io_uring. */
export function withUring(contender: Contender): Contender {
  return {
    ...contender,
    unavailable: () => (isWritable(uringSwitch) ? contender.unavailable() : 'it needs root and Linux 6.14'),
    mount: (packed, at) => {
      const before = readFileSync(uringSwitch, 'utf8').trim();
      writeFileSync(uringSwitch, 'Y');
      try {
        return (contender.mount as NonNullable<Contender['mount']>)(packed, at);
      } finally {
        writeFileSync(uringSwitch, before);
      }
    },
  };
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function mount({ archive }: Packed, at: string, ...options: string[]): Mounted {
  const { pid } = JSON.parse(runCommand(command('mount', '--json', archive, at, ...options)));
  return { root: at, server: pid, unmount: () => void runCommand(command('unmount', at)) };
}

function isTar(source: string): boolean {
  return source.endsWith('.tar');
}
