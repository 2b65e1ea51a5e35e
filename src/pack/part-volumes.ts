import { realpathSync } from 'node:fs';
import { showBytes } from '../base/entry-path.ts';
import * as format from '../format/constants.ts';
import { crc32c } from '../format/crc32c.ts';
import { bytesOf } from '../format/little-endian.ts';
import type { Volume } from '../format/volumes.ts';
import type { IndexReader } from '../image/index-reader.ts';
import { openVolume, volumePath } from '../image/open-volume.ts';
import { systemError } from '../io/system-error.ts';

/** The volumes of several images, each once. */
export interface PartVolumes {
  /** With names as an index in the directory asked for has them. */
  readonly all: readonly Volume[];
  /** For each image, for each row of its volumes: the place in `all`. */
  readonly rows: readonly Uint32Array[];
}

/** Bits that say what holds of a volume wherever it is described. */
const keptFlags = format.volumeHasChecksums | format.volumeByShoal;

/**
 * The volumes that the images `indexes` describe, for an index in `directory`. Throws `missing`, `truncated`, `wrong-volume` where one is not there: see
 * {@link openVolume}.
 */
export function partVolumes(indexes: readonly { path: Buffer; index: IndexReader }[], directory: Buffer): PartVolumes {
  const all: Volume[] = [];
  const places = new Map<string, number>();
  const directories = new RealDirectories();
  const from = directories.resolve(directory);
  const rows = indexes.map(({ path, index }) =>
    Uint32Array.from(index.volumesInFull(), (volume) => {
      const file = volumePath(path, volume.name);
      openVolume(file, volume).close();
      const slash = file.lastIndexOf(0x2f);
      const lies = directories.resolve(slash === -1 ? Buffer.from('.') : file.subarray(0, slash + 1));
      const base = file.toString('latin1', slash + 1);
      // What describes the file in another way stays another volume: its entries were told under this description.
      const key = [...lies, base, ...describe(volume)].join('/');
      const known = places.get(key);
      if (known !== undefined) return known;
      places.set(key, all.length);
      const name = volume.name[0] === 0x2f ? volume.name : relativeName(from, lies, base);
      return all.push({ ...volume, flags: volume.flags & keptFlags, name }) - 1;
    }),
  );
  return { all, rows };
}

function describe({ length, codec, flags, headChecksum, tailChecksum, sha256, pieces, frames }: Volume): unknown[] {
  const digest = sha256 === undefined ? '' : Buffer.from(sha256).toString('hex');
  const grid = frames && [frames.plainLength, frames.frameLength, crc32c(bytesOf(Float64Array.from(frames.offsets)))];
  return [length, codec, flags, headChecksum, tailChecksum, digest, pieces && crc32c(bytesOf(pieces)), grid];
}

/** A file in the directory `lies`, seen from the directory `from`: a bare name if they are the same, else a path, maybe through `..`. */
function relativeName(from: readonly string[], lies: readonly string[], base: string): Buffer {
  let common = 0;
  while (common < from.length && from[common] === lies[common]) common++;
  const up = from.slice(common).map(() => '..');
  return Buffer.from([...up, ...lies.slice(common), base].join('/'), 'latin1');
}

/** The components of directories' paths without symbolic links, a character for each byte. Many volumes lie in few directories. */
class RealDirectories {
  readonly #known = new Map<string, readonly string[]>();

  resolve(path: Buffer): readonly string[] {
    const key = path.toString('latin1');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    try {
      const text = realpathSync.native(path, { encoding: 'buffer' }).toString('latin1');
      const components = text.split('/').filter((component) => component !== '');
      this.#known.set(key, components);
      return components;
    } catch (error) {
      throw systemError('find', showBytes(path), error);
    }
  }
}
