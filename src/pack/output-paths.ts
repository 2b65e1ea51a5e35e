import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';

/** Where an image and the work on it lie. */
export interface OutputPaths {
  /** `IMAGE.shoal`. */
  readonly index: Buffer;
  /** `IMAGE.tar`, beside the index. */
  readonly volume: Buffer;
  readonly volumeName: Buffer;
  /** The directory of both. */
  readonly directory: Buffer;
  /** `IMAGE.shoal.partial`: a directory in which the image is made, under its own names, so that it can be read back before it is published. */
  readonly work: Buffer;
}

const indexEnding = '.shoal';

/** Throws `usage` where `output` does not end in `.shoal`. */
export function outputPaths(output: Buffer): OutputPaths {
  const slash = output.lastIndexOf(0x2f);
  const name = output.subarray(slash + 1);
  const stem = name.subarray(0, -indexEnding.length);
  if (stem.length === 0 || !name.subarray(stem.length).equals(Buffer.from(indexEnding))) {
    throw new ShoalError('usage', 'expected an output called NAME.shoal', { path: showBytes(output) });
  }
  const prefix = output.subarray(0, slash + 1);
  const beside = (text: string) => Buffer.concat([prefix, stem, Buffer.from(text)]);
  return {
    index: beside(indexEnding),
    volume: beside('.tar'),
    volumeName: Buffer.concat([stem, Buffer.from('.tar')]),
    directory: prefix.length === 0 ? Buffer.from('.') : prefix,
    work: beside(`${indexEnding}.partial`),
  };
}

/** The image's files and the lease while they are made in the directory `work`. */
export function pathsIn(work: Buffer, { volumeName }: OutputPaths): { index: Buffer; volume: Buffer; lease: Buffer } {
  const inside = (name: Buffer) => Buffer.concat([work, Buffer.from('/'), name]);
  const stem = volumeName.subarray(0, -'.tar'.length);
  return {
    index: inside(Buffer.concat([stem, Buffer.from(indexEnding)])),
    volume: inside(volumeName),
    lease: inside(Buffer.from('lease')),
  };
}
