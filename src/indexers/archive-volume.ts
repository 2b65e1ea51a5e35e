import { realpathSync } from 'node:fs';
import * as format from '../format/constants.ts';
import type { Frames } from '../format/frames.ts';
import type { Volume } from '../format/volumes.ts';
import { probeVolume } from '../image/volume-probe.ts';
import type { ByteSource } from '../io/byte-source.ts';

export interface ArchiveTraits {
  readonly hasChecksums: boolean;
  readonly byShoal: boolean;
  /** CRC32C of each piece, where the archive itself has them. */
  readonly pieces: Uint32Array | undefined;
  /** Of a compressed one. */
  readonly frames: Frames | undefined;
}

/** The volumes row of an archive: its name as an index at `image` finds it again, and what tells it from another file. */
export function archiveVolume(source: ByteSource, archive: Buffer, image: Buffer, traits: ArchiveTraits): Volume {
  return {
    name: nameFromIndex(archive, image),
    codec: traits.frames === undefined ? format.codecNone : format.codecZstd,
    flags: (traits.hasChecksums ? format.volumeHasChecksums : 0) | (traits.byShoal ? format.volumeByShoal : 0),
    pieces: traits.pieces,
    frames: traits.frames,
    ...probeVolume(source),
  };
}

/** A bare name for a file beside the index, so that both can move together; else an absolute path. */
function nameFromIndex(archive: Buffer, image: Buffer): Buffer {
  const [directory, name] = split(archive);
  const [imageDirectory] = split(image);
  const real = realpathSync(directory, { encoding: 'buffer' });
  if (real.equals(realpathSync(imageDirectory, { encoding: 'buffer' }))) return name;
  return archive[0] === 0x2f ? archive : Buffer.concat([real, Buffer.from('/'), name]);
}

function split(path: Buffer): [directory: Buffer, name: Buffer] {
  const slash = path.lastIndexOf(0x2f);
  const directory = slash === -1 ? Buffer.from('.') : path.subarray(0, Math.max(1, slash));
  return [directory, path.subarray(slash + 1)];
}
