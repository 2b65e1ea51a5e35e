import { bytesOf } from './little-endian.ts';
import type { Section } from './section.ts';
import type { Volume } from './volumes.ts';

/** CRC32C of each piece of the volumes that have them (docs/FORMAT.md §4.13). */
export function encodePieces(volumes: readonly Volume[]): Section {
  const rows = Uint32Array.from(volumes.flatMap(({ pieces }) => (pieces === undefined ? [] : [...pieces])));
  return { name: 'pieces', count: rows.length, bytes: bytesOf(rows) };
}
