import { type BigIntStats, constants } from 'node:fs';
import { access, lstat, realpath, stat } from 'node:fs/promises';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { systemCode, systemError } from '../io/system-error.ts';
import type { OutputPaths } from './output-paths.ts';

/** Tells mistakes before any work starts: a source or the output's directory missing, the output inside a source. `outputs` are files to be made. */
export async function checkRequest(
  sources: readonly Buffer[],
  paths: OutputPaths,
  outputs: readonly Buffer[],
): Promise<void> {
  await checkSources(sources);
  const places = await placesOf(sources);
  await checkDirectory(paths.directory);
  await checkNoneOf(places, outputs);
  await checkOutside(paths, places);
}

/** Throws where there is no source, or one is not there. */
export async function checkSources(sources: readonly Buffer[]): Promise<void> {
  if (sources.length === 0) throw new ShoalError('usage', 'expected at least one source to pack, found none');
  await Promise.all(sources.map(statSource));
}

/** Throws where a file that is to be read later cannot be. */
export async function checkReadable(file: Buffer): Promise<void> {
  await access(file, constants.R_OK).catch((error: unknown) => {
    throw systemError('read', showBytes(file), error);
  });
}

/** Throws `usage` where one of the `outputs` is a source. */
export async function checkNoSource(sources: readonly Buffer[], outputs: readonly Buffer[]): Promise<void> {
  await checkNoneOf(await placesOf(sources), outputs);
}

/** Throws `exists` where one of the `outputs` is taken and must not give way, or is something that no image is. */
export async function checkFree(outputs: readonly Buffer[], force: boolean): Promise<void> {
  for (const path of outputs) {
    const found = await lstatOf(path);
    if (found === undefined) continue;
    if (!force) {
      throw new ShoalError('exists', 'expected no file here, found one; give another name, or --force to replace it', {
        path: showBytes(path),
      });
    }
    if (found.isDirectory()) {
      throw new ShoalError('exists', 'expected a file to replace, found a directory; give another name', {
        path: showBytes(path),
      });
    }
  }
}

/** What is at `path` itself, or undefined. */
export async function lstatOf(path: Buffer): Promise<BigIntStats | undefined> {
  return await lstat(path, { bigint: true }).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw systemError('look at', showBytes(path), error);
  });
}

async function statSource(source: Buffer): Promise<BigIntStats> {
  return await stat(source, { bigint: true }).catch((error: unknown) => {
    throw systemError('find the source', showBytes(source), error);
  });
}

/** Throws unless files can be made in the directory. */
export async function checkDirectory(directory: Buffer): Promise<void> {
  const shown = showBytes(directory);
  const fail = (error: unknown) => {
    throw systemError('write the output here', shown, error);
  };
  const found = await stat(directory).catch(fail);
  if (!found.isDirectory()) throw new ShoalError('missing', 'expected a directory, found a file', { path: shown });
  await access(directory, constants.W_OK | constants.X_OK).catch(fail);
}

/** The sources by device and inode: names can lie. */
type Places = ReadonlyMap<string, Buffer>;

async function placesOf(sources: readonly Buffer[]): Promise<Places> {
  const found = await Promise.all(sources.map(statSource));
  return new Map(found.map((stats, i) => [placeOf(stats), sources[i] as Buffer]));
}

async function checkNoneOf(places: Places, outputs: readonly Buffer[]): Promise<void> {
  for (const path of outputs) {
    const there = await lstatOf(path);
    if (there !== undefined && places.has(placeOf(there))) {
      throw new ShoalError('usage', 'expected an output that is no source; give another name', {
        path: showBytes(path),
      });
    }
  }
}

/** A volume that is packed into itself would never end. */
async function checkOutside(paths: OutputPaths, places: Places): Promise<void> {
  let directory = await realpath(paths.directory, { encoding: 'buffer' }).catch((error: unknown) => {
    throw systemError('find the directory', showBytes(paths.directory), error);
  });
  for (;;) {
    const source = places.get(placeOf(await stat(directory, { bigint: true })));
    if (source !== undefined) {
      throw new ShoalError(
        'usage',
        `expected an output outside of the sources, found it inside ${showBytes(source)}; write it elsewhere`,
        { path: showBytes(paths.index) },
      );
    }
    const slash = directory.lastIndexOf(0x2f);
    if (directory.length === 1) return;
    directory = directory.subarray(0, Math.max(1, slash));
  }
}

/** Device and inode: what a file is, whatever it is called. */
export function placeOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}
