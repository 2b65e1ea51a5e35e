import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import type { Entry, IndexReader } from '../index.ts';

/** The entry at `path` within the image. Throws `missing` if there is none. */
export function entryAt(index: IndexReader, path: Buffer): Entry {
  const entry = index.resolvePath(path);
  if (entry === undefined) throw noSuchEntry(index, path);
  return entry;
}

export function noSuchEntry(index: IndexReader, path: Buffer): ShoalError {
  return new ShoalError('missing', `no entry "${showBytes(path)}" in the image; shoal ls shows what there is`, {
    path: index.path,
  });
}

/** A path within the image without needless slashes and dots; empty for the root. */
export function tidyPath(index: IndexReader, entry: Entry): Buffer {
  return index.entryPath(entry.number);
}

export function joinPath(directory: Buffer, name: Buffer): Buffer {
  return directory.length === 0 ? name : Buffer.concat([directory, Buffer.from('/'), name]);
}
