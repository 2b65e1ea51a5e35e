import type { IndexColumns } from './columns.ts';
import { malformed, type Place } from './malformed.ts';
import type { Section } from './section.ts';

/** Targets of symbolic links, back to back (docs/FORMAT.md §4). Shares the column's memory. */
export function encodeLinkTargets({ linkTargets }: IndexColumns): Section {
  return { name: 'linkTargets', count: linkTargets.length, bytes: linkTargets };
}

/** A copy of a target that stands at `place`. */
export function decodeLinkTarget(bytes: Uint8Array, place: Place): Buffer {
  const nul = bytes.indexOf(0);
  if (nul !== -1) throw malformed(place, 'expected a link target without NUL, found one', nul);
  return Buffer.from(bytes);
}
