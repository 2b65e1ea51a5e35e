import type { Contender } from '../contender.ts';
import { isInstalled } from '../run-command.ts';

export const gnuTar: Contender = {
  name: 'GNU tar',
  kind: 'tar',
  unavailable: () => missing('tar'),
  pack: ({ source, archive }) => ['tar', '--format=pax', '-cf', archive, '-C', source, '.'],
  extract: ({ archive }, into) => ['tar', '-xf', archive, '-C', into],
  verify: ({ source, archive }) => ['tar', '--compare', '-f', archive, '-C', source],
  readTar: (tar) => ['tar', '-tf', tar],
};

/** Shoal syncs what it wrote before it names it; this is tar with the same promise. */
export const gnuTarSynced: Contender = {
  name: 'GNU tar, then sync',
  kind: 'tar',
  unavailable: () => missing('tar'),
  pack: ({ source, archive }) => [
    'sh',
    '-c',
    'tar --format=pax -cf "$2" -C "$1" . && sync "$2"',
    'sh',
    source,
    archive,
  ],
};

export const bsdtar: Contender = {
  name: 'bsdtar',
  kind: 'tar',
  unavailable: () => missing('bsdtar'),
  extract: ({ archive }, into) => ['bsdtar', '-xf', archive, '-C', into],
  readTar: (tar) => ['bsdtar', '-tf', tar],
};

function missing(program: string): string | undefined {
  return isInstalled(program) ? undefined : `${program} is not installed`;
}
