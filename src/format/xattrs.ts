import type { IndexColumns } from './columns.ts';
import { viewOf } from './little-endian.ts';
import { malformed, type Place } from './malformed.ts';
import type { Section } from './section.ts';

/** An extended attribute. */
export interface Xattr {
  /** With its namespace: `user.comment`. */
  readonly name: Buffer;
  readonly value: Buffer;
}

/** Length of a set's count, and of the lengths before an attribute's name. */
const countLength = 4;
const lengthsLength = 6;

export function encodeXattrs({ xattrSets }: IndexColumns): Section {
  return { name: 'xattrs', count: xattrSets.length, bytes: xattrSets };
}

/** One set, encoded as docs/FORMAT.md §4.6; sorts the attributes by name. */
export function encodeXattrSet(xattrs: readonly Xattr[]): Uint8Array {
  const sorted = [...xattrs].sort((a, b) => Buffer.compare(a.name, b.name));
  const head = Buffer.alloc(countLength);
  head.writeUInt32LE(sorted.length);
  return Buffer.concat([
    head,
    ...sorted.flatMap(({ name, value }) => {
      const lengths = Buffer.alloc(lengthsLength);
      lengths.writeUInt16LE(name.length, 0);
      lengths.writeUInt32LE(value.length, 2);
      return [lengths, name, value];
    }),
  ]);
}

/** The set at the beginning of a part of the section; `read` gives bytes of that part and throws beyond its end. */
export function decodeXattrSet(read: (at: number, length: number) => Uint8Array, place: Place): Xattr[] {
  const count = viewOf(read(0, countLength)).getUint32(0, true);
  const xattrs: Xattr[] = [];
  let at = countLength;
  for (let i = 0; i < count; i++) {
    const lengths = viewOf(read(at, lengthsLength));
    const nameLength = lengths.getUint16(0, true);
    const valueLength = lengths.getUint32(2, true);
    if (nameLength === 0) throw malformed(place, 'expected an extended attribute with a name, found none', at);
    const name = Buffer.from(read(at + lengthsLength, nameLength));
    if (name.includes(0)) throw malformed(place, 'expected an extended attribute whose name has no NUL, found one', at);
    xattrs.push({ name, value: Buffer.from(read(at + lengthsLength + nameLength, valueLength)) });
    at += lengthsLength + nameLength + valueLength;
  }
  return xattrs;
}
