import { largeFile, smallFiles } from '../data-set.ts';
import type { Scenario } from '../scenario.ts';
import { type Layout, syntheticTar } from '../synthetic-tar.ts';

type Data = Scenario['data'];

/** The data set of the design. */
export const small: Data = ({ files }, { work }) => smallFiles(work, files);
export const large: Data = (sizes, { work }) => largeFile(work, sizes.large);

export const flat: Data = (sizes, { run }) => syntheticTar(run, { files: sizes.flat, perDirectory: sizes.flat });
export const huge: Data = (sizes, { run }) => syntheticTar(run, { files: sizes.huge, perDirectory: 500 });

export function synthetic(layout: Layout): Data {
  return (_, { run }) => syntheticTar(run, layout);
}
