import * as format from './constants.ts';

/** Kinds of sections, docs/FORMAT.md §4. */
export const sectionKinds = {
  blocks: 1,
  entries: 2,
  names: 3,
  nameGroups: 4,
  hash: 5,
  attributes: 6,
  xattrs: 7,
  linkTargets: 8,
  directories: 9,
  extents: 10,
  checksums: 11,
  wide: 12,
  volumes: 13,
  metadata: 14,
  pieces: 15,
  frames: 16,
} as const;

export type SectionName = keyof typeof sectionKinds;

export const sectionNames = Object.keys(sectionKinds) as readonly SectionName[];

/** An encoded section. */
export interface Section {
  readonly name: SectionName;
  /** Rows; bytes where a row is a byte. */
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** A section that is encoded while it is written, because it is too large to be held. */
export interface StreamedSection {
  readonly name: SectionName;
  readonly count: number;
  /** Of all parts together, in bytes. */
  readonly length: number;
  /** The bytes, once; a part is valid until the next one is asked for. */
  readonly parts: Iterable<Uint8Array>;
}

/** Bytes of a row; undefined where rows have no fixed size, or something follows them. */
export const rowLengths: Readonly<Record<SectionName, number | undefined>> = {
  blocks: 4,
  entries: undefined,
  names: undefined,
  nameGroups: 8,
  hash: format.bucketLength,
  attributes: format.attributesRowLength,
  xattrs: undefined,
  linkTargets: undefined,
  directories: format.directoryRowLength,
  extents: 8,
  checksums: 4,
  wide: format.wideRowLength,
  volumes: undefined,
  metadata: undefined,
  pieces: 4,
  frames: 8,
};

/** Without the others every answer about entries is the same. */
export const essentialSections: readonly SectionName[] = sectionNames.filter(
  (name) => name !== 'metadata' && name !== 'pieces',
);

/** Sections that every index has, even if they are empty. */
export const requiredSections: readonly SectionName[] = [
  'blocks',
  'entries',
  'names',
  'nameGroups',
  'hash',
  'attributes',
  'directories',
  'volumes',
];
