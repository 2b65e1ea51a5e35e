import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Contender, Packed } from '../contender.ts';
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

function mount({ archive }: Packed, at: string, ...options: string[]) {
  const { pid } = JSON.parse(runCommand(command('mount', '--json', archive, at, ...options)));
  return { root: at, server: pid, unmount: () => void runCommand(command('unmount', at)) };
}

function isTar(source: string): boolean {
  return source.endsWith('.tar');
}
