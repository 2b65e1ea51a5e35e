import { ShoalError } from '../base/errors.ts';
import * as format from './constants.ts';
import type { Frames } from './frames.ts';
import { getU64, set64, viewOf } from './little-endian.ts';
import { malformed, type Place } from './malformed.ts';
import type { Section } from './section.ts';

/** What an index knows of a volume (docs/FORMAT.md §4.11). */
export interface Volume {
  /** Without a slash: beside the index. Else a path, absolute or from the index's directory. */
  readonly name: Buffer;
  /** Of its file. */
  readonly length: number;
  readonly codec: number;
  /** Bits `volumeHasChecksums`, `volumeByShoal`. */
  readonly flags: number;
  /** CRC32C of the first and of the last bytes. */
  readonly headChecksum: number;
  readonly tailChecksum: number;
  /** For the writer: CRC32C of each piece of the volume, which says so in its flags. */
  readonly pieces?: Uint32Array | undefined;
  /** For the writer: where the frames of a compressed volume lie. */
  readonly frames?: Frames | undefined;
  /** Of the whole volume, 32 bytes; undefined: unknown. */
  readonly sha256?: Uint8Array;
}

const maxVolumeName = 4095;
const digestOffset = 32;
const digestLength = 32;

export function encodeVolumes(volumes: readonly Volume[]): Section {
  let nameOffset = volumes.length * format.volumeRowLength;
  const bytes = new Uint8Array(volumes.reduce((sum, { name }) => sum + name.length, nameOffset));
  const view = viewOf(bytes);
  volumes.forEach((volume, row) => {
    if (volume.name.length === 0 || volume.name.length > maxVolumeName) {
      throw new ShoalError(
        'usage',
        `expected the name of a volume in 1 to ${maxVolumeName} bytes, found ${volume.name.length}`,
      );
    }
    const at = row * format.volumeRowLength;
    set64(view, at, volume.length);
    view.setUint32(at + 8, volume.codec, true);
    view.setUint32(at + 12, volume.flags | (volume.pieces === undefined ? 0 : format.volumeHasPieces), true);
    view.setUint32(at + 16, volume.headChecksum, true);
    view.setUint32(at + 20, volume.tailChecksum, true);
    view.setUint32(at + 24, nameOffset, true);
    view.setUint32(at + 28, volume.name.length, true);
    if (volume.sha256 !== undefined) bytes.set(volume.sha256, at + digestOffset);
    bytes.set(volume.name, nameOffset);
    nameOffset += volume.name.length;
  });
  return { name: 'volumes', count: volumes.length, bytes };
}

/** `bytes` is the whole section. */
export function decodeVolumes(bytes: Uint8Array, count: number, place: Place): Volume[] {
  if (count * format.volumeRowLength > bytes.length)
    throw malformed(place, `expected ${count} volumes, found ${bytes.length} bytes for them`);
  return Array.from({ length: count }, (_, row) => decodeVolume(bytes, row * format.volumeRowLength, place));
}

function decodeVolume(bytes: Uint8Array, at: number, place: Place): Volume {
  const view = viewOf(bytes);
  const length = getU64(view, at);
  const nameOffset = view.getUint32(at + 24, true);
  const nameLength = view.getUint32(at + 28, true);
  if (length > Number.MAX_SAFE_INTEGER)
    throw malformed(place, `expected a volume of less than 2^53 bytes, found ${length}`, at);
  if (nameLength === 0 || nameLength > maxVolumeName || nameOffset + nameLength > bytes.length) {
    throw malformed(
      place,
      `expected a volume's name of 1 to ${maxVolumeName} bytes in the section, found ${nameLength} at ${nameOffset}`,
      at + 24,
    );
  }
  const name = Buffer.from(bytes.subarray(nameOffset, nameOffset + nameLength));
  if (name.includes(0)) throw malformed(place, "expected a volume's name without NUL, found one", nameOffset);
  const sha256 = Uint8Array.from(bytes.subarray(at + digestOffset, at + digestOffset + digestLength));
  return {
    name,
    length,
    codec: view.getUint32(at + 8, true),
    flags: view.getUint32(at + 12, true),
    headChecksum: view.getUint32(at + 16, true),
    tailChecksum: view.getUint32(at + 20, true),
    ...(sha256.some((byte) => byte !== 0) && { sha256 }),
  };
}
