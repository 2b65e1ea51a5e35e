import { constants as bufferLimits } from 'node:buffer';
import { ShoalError } from '../base/errors.ts';
import type { IndexColumns } from './columns.ts';
import * as format from './constants.ts';
import { bytesOf } from './little-endian.ts';
import { murmur3 } from './murmur3.ts';
import type { Section } from './section.ts';

/** How a slot of an index with so many entries is divided (docs/FORMAT.md §4.4). */
export interface SlotLayout {
  readonly buckets: number;
  /** Low bits: the entry. */
  readonly indexBits: number;
  /** Bits above them: a fingerprint of the key. */
  readonly tagBits: number;
}

export function slotLayout(entries: number): SlotLayout {
  const indexBits = Math.max(1, 32 - Math.clz32(entries - 1));
  return {
    buckets: Math.max(1, Math.ceil((entries - 1) / format.bucketFill)),
    indexBits,
    tagBits: Math.min(format.tagBits, 32 - indexBits),
  };
}

/** The fingerprint of a key with this hash. */
export function slotTag(hash: number, { tagBits }: SlotLayout): number {
  // A shift by 32 is one by 0 in JavaScript.
  return tagBits === 0 ? 0 : Math.imul(hash, format.tagMultiplier) >>> (32 - tagBits);
}

/** The entry in `slot`, or 0 if its fingerprint is another one. */
export function entryOfSlot(slot: number, tag: number, { indexBits, tagBits }: SlotLayout): number {
  if (tagBits === 0) return slot;
  const shift = 2 ** indexBits;
  return Math.floor(slot / shift) === tag ? slot % shift : 0;
}

export function encodeHash({ names, nameLengths, parents }: IndexColumns): Section {
  const layout = slotLayout(parents.length);
  if (layout.buckets * format.bucketLength > bufferLimits.MAX_LENGTH) {
    const most = Math.floor((bufferLimits.MAX_LENGTH / format.bucketLength) * format.bucketFill);
    throw new ShoalError(
      'unsupported',
      `expected at most ${most} entries, found ${parents.length}; make several images`,
    );
  }
  const slots = new Uint32Array(layout.buckets * format.bucketSlots);
  const fills = new Uint8Array(layout.buckets);
  let nameAt = 0;
  for (let entry = 1; entry < parents.length; entry++) {
    const hash = murmur3(names, nameAt, nameLengths[entry], parents[entry]);
    nameAt += nameLengths[entry];
    let bucket = hash % layout.buckets;
    while (fills[bucket] === format.bucketSlots) bucket = bucket + 1 === layout.buckets ? 0 : bucket + 1;
    const tag = layout.tagBits === 0 ? 0 : slotTag(hash, layout) << layout.indexBits;
    slots[bucket * format.bucketSlots + fills[bucket]++] = tag | entry;
  }
  return { name: 'hash', count: layout.buckets, bytes: bytesOf(slots) };
}
