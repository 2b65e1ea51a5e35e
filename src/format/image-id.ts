import { createHash } from 'node:crypto';
import * as format from './constants.ts';
import { set64, viewOf } from './little-endian.ts';
import { type Section, type SectionName, sectionKinds } from './section.ts';

/** Sections that the id covers, in order of kind (docs/FORMAT.md §5). */
const covered: readonly SectionName[] = [
  'entries',
  'names',
  'nameGroups',
  'hash',
  'attributes',
  'xattrs',
  'linkTargets',
  'directories',
  'extents',
  'checksums',
  'wide',
];
/** node:crypto takes less than 2 GiB at a time. */
const step = 2 ** 26;

/** The id of an image with these sections: 16 bytes. */
export function imageId(sections: readonly Section[]): Buffer {
  const hash = createHash('sha256');
  for (const name of covered) {
    const bytes = sections.find((section) => section.name === name)?.bytes ?? new Uint8Array();
    const head = new Uint8Array(12);
    viewOf(head).setUint32(0, sectionKinds[name], true);
    set64(viewOf(head), 4, bytes.length);
    hash.update(head);
    for (let at = 0; at < bytes.length; at += step) hash.update(bytes.subarray(at, at + step));
  }
  return hash.digest().subarray(0, format.idLength);
}
