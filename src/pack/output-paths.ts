import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';

/** Where an image and the work on it lie. */
export interface OutputPaths {
  /** `IMAGE.shoal`. */
  readonly index: Buffer;
  /** `IMAGE`: the index's name without its ending. */
  readonly stem: Buffer;
  /** Where index and volumes lie. */
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
    stem,
    directory: prefix.length === 0 ? Buffer.from('.') : prefix,
    work: beside(`${indexEnding}.partial`),
  };
}

/** The final path of the volume called `name`. */
export function volumeBeside({ index }: OutputPaths, name: Buffer): Buffer {
  return Buffer.concat([index.subarray(0, index.lastIndexOf(0x2f) + 1), name]);
}

/** A file of the image while it is made in the directory `work`. */
export function pathIn(work: Buffer, name: Buffer): Buffer {
  return Buffer.concat([work, Buffer.from('/'), name]);
}

export const leaseName = Buffer.from('lease');
export const surplusName = Buffer.from('surplus');
/** What a run that is stopped can be gone on with: see {@link file://./checkpoints.ts}. */
export const planName = Buffer.from('plan');
export const journalName = Buffer.from('journal');

/** The index, the lease and the list of surplus volumes of the image that is made in the directory `work`. */
export function pathsIn(work: Buffer, { stem }: OutputPaths): { index: Buffer; lease: Buffer; surplus: Buffer } {
  return {
    index: pathIn(work, Buffer.concat([stem, Buffer.from(indexEnding)])),
    lease: pathIn(work, leaseName),
    surplus: pathIn(work, surplusName),
  };
}
