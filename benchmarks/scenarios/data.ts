import { largeFile, smallFiles, standingTree, textFiles, tinyFiles } from '../data-set.ts';
import type { Scenario } from '../scenario.ts';
import { type Layout, syntheticTar } from '../synthetic-tar.ts';

type Data = Scenario['data'];

/** The data set of the design. */
export const small: Data = ({ files }, { work }) => smallFiles(work, files);
/** The same of text; fewer, because text takes long to compress. */
export const text: Data = ({ files }, { work }) => textFiles(work, Math.ceil(files / 5));
export const many: Data = (sizes, { work }) => tinyFiles(work, sizes.many);
export const standing: Data = (sizes) => standingTree(sizes.standing);
export const large: Data = (sizes, { work }) => largeFile(work, sizes.large);

export const flat: Data = (sizes, { run }) => syntheticTar(run, { files: sizes.flat, perDirectory: sizes.flat });
export const huge: Data = (sizes, { run }) => syntheticTar(run, { files: sizes.huge, perDirectory: 500 });

/** Small files that nobody has to create, with content, since each that has some takes a checksum. */
export const counted: Data = (sizes, { run }) =>
  syntheticTar(run, { files: sizes.counted, perDirectory: 500, length: 100 });

export function synthetic(layout: Layout): Data {
  return (_, { run }) => syntheticTar(run, layout);
}
