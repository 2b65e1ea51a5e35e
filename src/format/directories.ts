import { ShoalError } from '../base/errors.ts';
import { aliasRow, fileTypes, type IndexColumns, typesOfRows } from './columns.ts';
import * as format from './constants.ts';
import { entryWordAt } from './entries.ts';
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

/** Sums up what is below each directory in one pass from the last entry to the first; `entryWords` is the encoded entry table. */
export function encodeDirectories(columns: IndexColumns, entryWords: Uint32Array): Section {
  const { parents, sizes, offsets, attributes } = columns;
  const directories = checkTree(columns);
  const rowOf = (directory: number) => entryWords[entryWordAt(directory) + 4 * format.pageEntries];
  const types = typesOfRows(columns);
  const bytesBelow = new Float64Array(directories);
  const entriesBelow = new Float64Array(directories);
  const encoded = new Uint8Array(directories * format.directoryRowLength);
  const view = viewOf(encoded);
  for (let entry = parents.length - 1; entry >= 0; entry--) {
    const parent = rowOf(parents[entry]);
    const type = attributes[entry] === aliasRow ? undefined : types[attributes[entry]];
    let bytes = 0;
    let entries = 1;
    if (type === fileTypes.directory) {
      const row = rowOf(entry);
      bytes = bytesBelow[row];
      entries += entriesBelow[row];
      if (bytes > Number.MAX_SAFE_INTEGER)
        throw new ShoalError('unsupported', 'expected less than 2^53 bytes in a directory, found more');
      const at = row * format.directoryRowLength;
      view.setUint32(at, entry, true);
      view.setUint32(at + 4, offsets[entry], true);
      set64(view, at + 8, bytes);
      set64(view, at + 16, entries - 1);
    } else if (type === fileTypes.file || type === fileTypes.link) {
      bytes = sizes[entry];
    }
    if (entry > 0) {
      bytesBelow[parent] += bytes;
      entriesBelow[parent] += entries;
    }
  }
  return { name: 'directories', count: directories, bytes: encoded };
}

/** Counts the directories. Throws `internal` unless each one's children follow those of the one before and name it as their parent. */
function checkTree({ parents, attributes, offsets, counts, ...columns }: IndexColumns): number {
  const types = typesOfRows({ parents, attributes, offsets, counts, ...columns });
  let directories = 0;
  let next = 1;
  for (let entry = 0; entry < parents.length; entry++) {
    if (attributes[entry] === aliasRow || types[attributes[entry]] !== fileTypes.directory) continue;
    directories++;
    if (offsets[entry] !== next || next <= entry) {
      throw new ShoalError(
        'internal',
        `expected the children of directory ${entry} at ${next}, found ${offsets[entry]}`,
      );
    }
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
