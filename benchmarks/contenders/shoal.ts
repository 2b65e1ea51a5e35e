import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Contender } from '../contender.ts';
import { runCommand } from '../run-command.ts';

const program = fileURLToPath(new URL('../../bin/shoal.js', import.meta.url));
const command = (...options: string[]) => [process.execPath, program, ...options] as const;

export const shoal: Contender = {
  name: 'Shoal',
  kind: 'shoal',
  unavailable: () =>
    existsSync(fileURLToPath(new URL('../../dist/shoal.js', import.meta.url))) ? undefined : 'it is not built',
  pack: ({ tree, archive }) => command('pack', tree, '-o', archive, '--quiet'),
  mount: ({ archive }, at) => {
    const { pid } = JSON.parse(runCommand(command('mount', '--json', archive, at)));
    return { root: at, server: pid, unmount: () => runCommand(command('unmount', at)) };
  },
  extract: ({ archive }, into) => command('extract', archive, '-C', into, '--quiet'),
  verify: ({ archive }) => command('verify', archive, '--quiet'),
  readTar: (tar, index) => command('index', tar, '-o', index, '--quiet'),
  start: () => command('--version'),
};
