import * as format from '../format/constants.ts';
import { crc32c } from '../format/crc32c.ts';
import type { ByteSource } from '../io/byte-source.ts';

/** What tells a volume from another file: docs/FORMAT.md §4.11. */
export interface VolumeProbe {
  readonly length: number;
  /** CRC32C of the first and of the last min(4 096, length) bytes. */
  readonly headChecksum: number;
  readonly tailChecksum: number;
}

/** Reads a volume's beginning and end. */
export function probeVolume(source: ByteSource): VolumeProbe {
  const bytes = Buffer.alloc(Math.min(format.volumeProbeLength, source.length));
  source.read(0, bytes);
  const headChecksum = crc32c(bytes);
  source.read(source.length - bytes.length, bytes);
  return { length: source.length, headChecksum, tailChecksum: crc32c(bytes) };
}
