import { ShoalError } from '../base/errors.ts';
import { aliasRow, fileTypes, type IndexColumns, typesOfRows, wideNumber } from './columns.ts';
import * as format from './constants.ts';
import { getU64, set64, viewOf } from './little-endian.ts';
import type { Section } from './section.ts';

/** What lies below a directory (docs/FORMAT.md §4.7). */
export interface DirectoryRow {
  readonly entry: number;
  readonly firstChild: number;
  /** Of files' content and link targets; an alias counts 0. */
  readonly bytes: number;
  /** Entries of all kinds, at any depth. */
  readonly entries: number;
}

/** Sums up what is below each directory in one pass from the last entry to the first. */
export function encodeDirectories(columns: IndexColumns): Section {
  const { parents, sizes, offsets, attributes } = columns;
  const directories = checkTree(columns);
  const types = typesOfRows(columns);
  const bytesBelow = new Float64Array(directories.length);
  const entriesBelow = new Float64Array(directories.length);
  const encoded = new Uint8Array(directories.length * format.directoryRowLength);
  const view = viewOf(encoded);
  // Rows of the entry, if it is a directory, and of its parent. Both only go down: children stand in the order of their parents.
  let row = directories.length - 1;
  let parent = row;
  for (let entry = parents.length - 1; entry >= 0; entry--) {
    while (parent > 0 && directories[parent] !== parents[entry]) parent--;
    const type = attributes[entry] === aliasRow ? undefined : types[attributes[entry]];
    let bytes = 0;
    let entries = 1;
    if (type === fileTypes.directory) {
      bytes = bytesBelow[row];
      entries += entriesBelow[row];
      if (bytes > Number.MAX_SAFE_INTEGER)
        throw new ShoalError('unsupported', 'expected less than 2^53 bytes in a directory, found more');
      const at = row * format.directoryRowLength;
      view.setUint32(at, entry, true);
      view.setUint32(at + 4, wideNumber(offsets, entry), true);
      set64(view, at + 8, bytes);
      set64(view, at + 16, entries - 1);
      row--;
    } else if (type === fileTypes.file || type === fileTypes.link) {
      bytes = wideNumber(sizes, entry);
    }
    if (entry > 0) {
      bytesBelow[parent] += bytes;
      entriesBelow[parent] += entries;
    }
  }
  return { name: 'directories', count: directories.length, bytes: encoded };
}

/** The directories, ascending. Throws `internal` unless each one's children follow those of the one before and name it as their parent. */
function checkTree(columns: IndexColumns): readonly number[] {
  const { parents, attributes, offsets, counts } = columns;
  const types = typesOfRows(columns);
  const directories: number[] = [];
  let next = 1;
  for (let entry = 0; entry < parents.length; entry++) {
    if (attributes[entry] === aliasRow || types[attributes[entry]] !== fileTypes.directory) continue;
    directories.push(entry);
    const first = wideNumber(offsets, entry);
    if (first !== next || next <= entry)
      throw new ShoalError('internal', `expected the children of directory ${entry} at ${next}, found ${first}`);
    for (const end = next + counts[entry]; next < end; next++) {
      if (parents[next] !== entry)
        throw new ShoalError('internal', `expected ${entry} as the parent of entry ${next}, found ${parents[next]}`);
    }
  }
  if (next !== parents.length)
    throw new ShoalError('internal', `expected ${parents.length} entries in the directories, found ${next}`);
  return directories;
}

export function decodeDirectoryRow(bytes: Uint8Array): DirectoryRow {
  const view = viewOf(bytes);
  return {
    entry: view.getUint32(0, true),
    firstChild: view.getUint32(4, true),
    bytes: getU64(view, 8),
    entries: getU64(view, 16),
  };
}
