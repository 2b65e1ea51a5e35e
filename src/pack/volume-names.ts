import { type BraceNames, braceName, countBraceNames } from '../base/brace-names.ts';
import { ShoalError } from '../base/errors.ts';

/** How the volumes of an image are called; they lie beside its index. */
export interface VolumeNaming {
  /** The index's name without `.shoal`. */
  readonly stem: Buffer;
  /** Whether they are numbered: `NAME-00000.tar`, `NAME-00001.tar`, …; else there is one, `NAME.tar`. */
  readonly numbered: boolean;
  /** Instead of those. */
  readonly shards: BraceNames | undefined;
  /** `.tar`, or `.tar.zst` where they are compressed. */
  readonly ending: string;
}

/** The name of the volume in row `volume`. */
export function volumeName({ stem, numbered, shards, ending }: VolumeNaming, volume: number): Buffer {
  if (shards !== undefined) return Buffer.from(braceName(shards, volume));
  const number = numbered ? `-${String(volume).padStart(5, '0')}` : '';
  return Buffer.concat([stem, Buffer.from(`${number}${ending}`)]);
}

/** The names of `count` volumes. Throws `usage` where the naming has less. */
export function volumeNames(naming: VolumeNaming, count: number): Buffer[] {
  const { shards } = naming;
  if (shards !== undefined && countBraceNames(shards) < count) {
    throw new ShoalError(
      'usage',
      `expected names for ${count} volumes, found ${countBraceNames(shards)} from ${braceName(shards, 0)} on; give a wider range, or a larger volume size`,
    );
  }
  return Array.from({ length: count }, (_, volume) => volumeName(naming, volume));
}

/** Whether a volume may have been called `name` when an image of this name was packed before, under any of its ways to name volumes. */
export function isOwnName(naming: VolumeNaming, name: Buffer): boolean {
  const { stem, shards } = naming;
  const text = name.toString('latin1');
  const own = stem.toString('latin1');
  if (text.startsWith(own) && /^(-\d{5})?\.tar(\.zst)?$/.test(text.slice(own.length))) return true;
  if (shards === undefined) return false;
  const [before, behind] = [shards.before, shards.behind].map((part) => Buffer.from(part).toString('latin1'));
  const number = text.slice(before?.length, text.length - (behind?.length ?? 0));
  return text === `${before}${number}${behind}` && /^\d+$/.test(number);
}
