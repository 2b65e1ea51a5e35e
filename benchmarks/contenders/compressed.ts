import type { Contender } from '../contender.ts';
import { shoal } from './shoal.ts';
import { mksquashfs, quietly, squashfuse } from './squashfs.ts';

/** What is asked of all contenders alike. 128 KiB are compressed at a time: the default of mksquashfs, and Shoal's only length of frames. */
export interface Compression {
  /** Of zstd. */
  readonly level: number;
  /** Whether files of equal content are stored once, or each. Left to the contenders where no two are equal. */
  readonly copies?: 'once' | 'each';
}

const packOf = ({ pack }: Contender) => pack as NonNullable<Contender['pack']>;

export function shoalCompressed({ level, copies = 'each' }: Compression): Contender {
  const options = ['--compress', `zstd:${level}`, ...(copies === 'once' ? ['--dedupe'] : [])];
  const pack: Contender['pack'] = (packed) => [...packOf(shoal)(packed), ...options];
  return { ...shoal, kind: `zstd-${level}-${copies}.shoal`, pack };
}

export function mksquashfsCompressed({ level, copies = 'once' }: Compression): Contender {
  const options = ['-comp', 'zstd', '-Xcompression-level', String(level), '-b', '128K'];
  if (copies === 'each') options.push('-no-duplicates');
  const pack: Contender['pack'] = ({ source, archive }) => ['mksquashfs', source, archive, ...options, ...quietly];
  return { ...mksquashfs, name: 'mksquashfs, zstd', kind: `zstd-${level}-${copies}.squashfs`, pack };
}

/** squashfuse_ll on what {@link mksquashfsCompressed} makes. */
export function squashfuseCompressed(compression: Compression): Contender {
  const packer = mksquashfsCompressed(compression);
  return { ...squashfuse, kind: packer.kind, pack: packOf(packer) };
}
