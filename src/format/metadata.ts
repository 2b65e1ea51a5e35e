import { malformed, type Place } from './malformed.ts';
import type { Section } from './section.ts';

/** Free keys and values (docs/FORMAT.md §4.12). */
export type Metadata = Readonly<Record<string, string>>;

export function encodeMetadata(metadata: Metadata): Section {
  // Sorting by default compares code units, as the format asks.
  const keys = Object.keys(metadata).sort();
  const text = `{${keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`).join(',')}}`;
  return { name: 'metadata', count: keys.length, bytes: keys.length === 0 ? new Uint8Array() : Buffer.from(text) };
}

/** `bytes` is the whole section. */
export function decodeMetadata(bytes: Uint8Array, place: Place): Metadata {
  if (bytes.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw malformed(place, 'expected metadata as JSON in UTF-8, found something else');
  }
  if (!isMetadata(value)) throw malformed(place, 'expected metadata as an object of strings, found something else');
  return value;
}

function isMetadata(value: unknown): value is Metadata {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((item) => typeof item === 'string')
  );
}
