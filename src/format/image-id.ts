import { createHash } from 'node:crypto';
import * as format from './constants.ts';
import { set64, viewOf } from './little-endian.ts';
import { type SectionName, sectionKinds } from './section.ts';

/** node:crypto takes less than 2 GiB at a time. */
const step = 2 ** 26;

/** Computes the id of an image (docs/FORMAT.md §5) from its sections of kind 2 to 12, in order of kind; one that is absent has no bytes. */
export class ImageIdHash {
  readonly #hash = createHash('sha256');

  /** Passes on the bytes of a section, `length` in all. */
  *section(name: SectionName, length: number, parts: Iterable<Uint8Array>): Generator<Uint8Array> {
    const head = new Uint8Array(12);
    viewOf(head).setUint32(0, sectionKinds[name], true);
    set64(viewOf(head), 4, length);
    this.#hash.update(head);
    for (const part of parts) {
      for (let at = 0; at < part.length; at += step) this.#hash.update(part.subarray(at, at + step));
      yield part;
    }
  }

  /** 16 bytes; after the last section. */
  digest(): Buffer {
    return this.#hash.digest().subarray(0, format.idLength);
  }
}
