import { readFile, unlink } from 'node:fs/promises';
import { isShoalError, ShoalError } from '../base/errors.ts';
import { indexedVolumes, volumeId } from '../image/indexed-volumes.ts';
import { writeNewFile } from '../io/atomic-file.ts';
import { systemCode } from '../io/system-error.ts';
import { type OutputPaths, volumeBeside } from './output-paths.ts';
import { isOwnName, type VolumeNaming } from './volume-names.ts';

/** Volumes of an image that is replaced, which the new one has not: they go when its index is gone. */
export interface Surplus {
  /** Of the image that is replaced. */
  readonly id: Buffer;
  readonly names: readonly Buffer[];
}

/**
 * The surplus volumes where the image at `paths` gives way to one with the volumes `kept`: those that its index names, that lie beside it, are called as this image's volumes
 * are, and bear its id. So no index that names the volumes of other images (as a merged one does) takes them with it.
 */
export function findSurplus(paths: OutputPaths, naming: VolumeNaming, kept: readonly Buffer[]): Surplus {
  const remain = new Set(kept.map((name) => name.toString('latin1')));
  try {
    const { id, names } = indexedVolumes(paths.index);
    return { id, names: names.filter((name) => isOwnName(naming, name) && !remain.has(name.toString('latin1'))) };
  } catch (error) {
    // What is no image, or a damaged one, gives way without telling what belongs to it.
    if (error instanceof ShoalError) return { id: Buffer.alloc(0), names: [] };
    throw error;
  }
}

/** Keeps the list where a later run finds it, should this one be killed between removing the old index and them. */
export async function writeSurplus(path: Buffer, { id, names }: Surplus): Promise<void> {
  const text = JSON.stringify({ id: id.toString('hex'), names: names.map((name) => name.toString('hex')) });
  await writeNewFile(path, (file) => file.append([Buffer.from(text)]));
}

/** Nothing where there is no list. */
export async function readSurplus(path: Buffer): Promise<Surplus | undefined> {
  try {
    const { id, names } = JSON.parse(await readFile(path, 'utf8')) as { id: string; names: string[] };
    return { id: Buffer.from(id, 'hex'), names: names.map((name) => Buffer.from(name, 'hex')) };
  } catch (error) {
    // One that was cut short was of a run that had not removed the old index.
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes them, unless the index to which they belong is there. */
export async function removeSurplus(paths: OutputPaths, surplus: Surplus | undefined): Promise<void> {
  if (surplus === undefined || surplus.names.length === 0 || hasId(paths.index, surplus.id)) return;
  for (const name of surplus.names) {
    const path = volumeBeside(paths, name);
    if (bearsId(path, surplus.id)) await unlink(path).catch(() => undefined);
  }
}

function hasId(index: Buffer, id: Buffer): boolean {
  try {
    return indexedVolumes(index).id.equals(id);
  } catch (error) {
    if (isShoalError(error)) return false;
    throw error;
  }
}

function bearsId(volume: Buffer, id: Buffer): boolean {
  try {
    return volumeId(volume)?.equals(id) === true;
  } catch (error) {
    if (isShoalError(error)) return false;
    throw error;
  }
}
