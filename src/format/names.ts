import { ShoalError } from '../base/errors.ts';
import type { IndexColumns } from './columns.ts';
import * as format from './constants.ts';
import type { Section } from './section.ts';

/** All names, back to back (docs/FORMAT.md §4.3). Shares the column's memory. */
export function encodeNames(columns: IndexColumns): Section {
  return { name: 'names', count: columns.names.length, bytes: columns.names };
}

/** The offset in `names` of every 65 536th entry. */
export function encodeNameGroups(columns: IndexColumns): Section {
  const groups = new BigUint64Array(nameGroupCount(columns.nameLengths.length));
  let offset = 0;
  for (let entry = 0; entry < columns.nameLengths.length; entry++) {
    if (entry % format.nameGroupEntries === 0) groups[entry / format.nameGroupEntries] = BigInt(offset);
    offset += columns.nameLengths[entry];
  }
  return { name: 'nameGroups', count: groups.length, bytes: new Uint8Array(groups.buffer) };
}

/** Rows of `nameGroups` for so many entries. */
export function nameGroupCount(entries: number): number {
  return Math.ceil(entries / format.nameGroupEntries);
}

/** Throws `internal` unless every name can be one, and those of each directory are sorted and differ. */
export function checkNames({ names, nameLengths, parents }: IndexColumns): void {
  if (nameLengths[0] !== 0)
    throw new ShoalError('internal', `expected no name for the root, found ${nameLengths[0]} bytes`);
  let before = 0;
  let at = 0;
  for (let entry = 1; entry < nameLengths.length; entry++) {
    const end = at + nameLengths[entry];
    checkName(names, at, end, entry);
    if (entry > 1 && parents[entry] === parents[entry - 1] && !isSorted(names, before, at, end)) {
      throw new ShoalError(
        'internal',
        `expected the names in directory ${parents[entry]} sorted and each once, found entry ${entry} out of order`,
      );
    }
    before = at;
    at = end;
  }
  if (at !== names.length) throw new ShoalError('internal', `expected ${at} bytes of names, found ${names.length}`);
}

function checkName(names: Uint8Array, start: number, end: number, entry: number): void {
  let dots = 0;
  for (let at = start; at < end; at++) {
    const byte = names[at];
    if (byte === 0x2e) dots++;
    else if (byte === 0 || byte === 0x2f)
      throw new ShoalError('internal', `expected a name without NUL and slash, found entry ${entry}`);
  }
  if (end - start <= 2 && dots === end - start)
    throw new ShoalError('internal', `expected a name other than "", "." and "..", found entry ${entry}`);
}

function isSorted(names: Uint8Array, before: number, start: number, end: number): boolean {
  const shorter = Math.min(start - before, end - start);
  for (let at = 0; at < shorter; at++) {
    const difference = names[before + at] - names[start + at];
    if (difference !== 0) return difference < 0;
  }
  return start - before < end - start;
}
