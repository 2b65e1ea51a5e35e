import type { Contender } from '../contender.ts';
import { bareNode, plainDirectory } from './plain.ts';
import { shoal } from './shoal.ts';
import { kernelSquashfs, mksquashfs, squashfuse } from './squashfs.ts';
import { bsdtar, gnuTar, gnuTarSynced } from './tar.ts';

/** In the order of the table's rows. */
export const contenders: readonly Contender[] = [
  plainDirectory,
  bareNode,
  gnuTar,
  gnuTarSynced,
  bsdtar,
  mksquashfs,
  squashfuse,
  kernelSquashfs,
  shoal,
];
