import { checkFree, checkNoSource } from './check-request.ts';
import { type OutputPaths, volumeBeside } from './output-paths.ts';
import { type VolumeNaming, volumeName, volumeNames } from './volume-names.ts';

/** The files of an image that are known before it is planned, whichever of the namings it gets. */
export function firstFiles(paths: OutputPaths, namings: readonly VolumeNaming[]): Buffer[] {
  return [paths.index, ...namings.map((naming) => volumeBeside(paths, volumeName(naming, 0)))];
}

/** The names of `count` volumes. Throws where one beyond the first is a source, or taken and must not give way. */
export async function freeVolumeNames(
  naming: VolumeNaming,
  count: number,
  paths: OutputPaths,
  sources: readonly Buffer[],
  force: boolean,
): Promise<Buffer[]> {
  const names = volumeNames(naming, count);
  const further = names.slice(1).map((name) => volumeBeside(paths, name));
  // The first one was looked at before there was anything to plan.
  if (further.length > 0) await checkNoSource(sources, further);
  await checkFree(further, force);
  return names;
}
