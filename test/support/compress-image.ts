import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import * as format from '../../src/format/constants.ts';
import { crc32c } from '../../src/format/crc32c.ts';
import { encodeFrames } from '../../src/format/frames.ts';
import { decodeHeader } from '../../src/format/header.ts';
import { IndexLayout } from '../../src/format/index-layout.ts';
import type { Section } from '../../src/format/section.ts';
import { encodeVolumes, type Volume } from '../../src/format/volumes.ts';
import { IndexReader } from '../../src/image/index-reader.ts';
import { loadAddon } from '../../src/native/load.ts';
import { joined } from './index-bytes.ts';

export interface CompressOptions {
  readonly frameLength?: number;
  readonly level?: number;
  /** Rows of the volumes that are compressed. Default: all. */
  readonly rows?: readonly number[];
}

/** Compresses the volumes of the image whose index is at `index`: each `x.tar` becomes `x.tar.zst`. Returns their paths, of those that stay plain, too. */
export function compressImage(index: string, options: CompressOptions = {}): string[] {
  const { frameLength = format.frameLength, level = 3 } = options;
  const reader = IndexReader.open(Buffer.from(index));
  const before = reader.volumes();
  reader.close();
  const { rows = before.map((_, row) => row) } = options;
  const paths: string[] = [];
  const volumes = before.map((volume, row): Volume => {
    const path = resolve(dirname(index), volume.name.toString());
    if (!rows.includes(row)) {
      paths.push(path);
      return volume;
    }
    const { bytes, ...frames } = loadAddon().zstdEncode(readFileSync(path), frameLength, level);
    writeFileSync(`${path}.zst`, bytes);
    rmSync(path);
    paths.push(`${path}.zst`);
    return {
      ...volume,
      name: Buffer.concat([volume.name, Buffer.from('.zst')]),
      length: bytes.length,
      codec: format.codecZstd,
      headChecksum: crc32c(bytes.subarray(0, format.volumeProbeLength)),
      tailChecksum: crc32c(bytes.subarray(Math.max(0, bytes.length - format.volumeProbeLength))),
      frames,
    };
  });
  writeFileSync(index, withVolumes(readFileSync(index), volumes));
  return paths;
}

/** The index with other volumes, all else as it was. */
function withVolumes(index: Buffer, volumes: readonly Volume[]): Buffer {
  const header = decodeHeader(index.subarray(0, format.headerLength), index.length, 'index');
  const kept = header.sections
    .filter(({ name }) => name !== 'blocks' && name !== 'frames')
    .map(({ name, offset, length, count }): Section => {
      if (name === 'volumes') return encodeVolumes(volumes);
      return { name, count, bytes: index.subarray(offset, offset + length) };
    });
  const layout = new IndexLayout();
  const parts = [joined(layout.begin())];
  for (const { name, count, bytes } of [...kept, encodeFrames(volumes)])
    parts.push(joined(layout.add(name, count, bytes.length, [bytes])));
  const whole = Buffer.concat([...parts, joined(layout.end())]);
  whole.set(layout.header(header.id));
  return whole;
}
