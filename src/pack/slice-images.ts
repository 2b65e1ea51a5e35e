import { unlink } from 'node:fs/promises';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { indexedVolumes } from '../image/indexed-volumes.ts';
import { systemError } from '../io/system-error.ts';
import { lstatOf } from './check-request.ts';
import { type OutputPaths, outputPaths, pathIn, planName } from './output-paths.ts';

/**
 * The image of slice number `slice`, counted from 0: `NAME-00000.shoal`. Its volume is called as that of an image of several volumes is, and stays when its
 * index goes.
 */
export function slicePaths({ index, stem }: OutputPaths, slice: number): OutputPaths {
  const directory = index.subarray(0, index.lastIndexOf(0x2f) + 1);
  return outputPaths(Buffer.concat([directory, stem, Buffer.from(`-${String(slice).padStart(5, '0')}.shoal`)]));
}

/** Whether the slice is packed. */
export async function hasSlice(paths: OutputPaths, slice: number): Promise<boolean> {
  return (await lstatOf(slicePaths(paths, slice).index)) !== undefined;
}

/** Throws `exists` where a run that packs slices was stopped: nothing else may take its plan for abandoned. */
export async function checkNoSlices(paths: OutputPaths): Promise<void> {
  if ((await lstatOf(pathIn(paths.work, planName))) === undefined || !(await hasSlice(paths, 0))) return;
  throw new ShoalError(
    'exists',
    `expected no run that was stopped here, found one that has packed and removed slices of its sources; the same command with --resume goes on`,
    { path: showBytes(slicePaths(paths, 0).index) },
  );
}

/** Removes the indexes of slices whose volumes the index of the whole, which is durable, names. */
export async function removeSliceIndexes(paths: OutputPaths): Promise<void> {
  const whole = new Set(indexedVolumes(paths.index).names.map((name) => name.toString('latin1')));
  const indexes: Buffer[] = [];
  for (let slice = 0; await hasSlice(paths, slice); slice++) {
    const { index } = slicePaths(paths, slice);
    if (!indexedVolumes(index).names.every((name) => whole.has(name.toString('latin1')))) break;
    indexes.push(index);
  }
  // The last one first, so that the others are found again if this is stopped.
  for (const index of indexes.toReversed()) {
    await unlink(index).catch((error: unknown) => {
      throw systemError('remove', showBytes(index), error);
    });
  }
}
