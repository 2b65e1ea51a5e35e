import { BlockChecksums } from './blocks.ts';
import * as format from './constants.ts';
import { crc32c } from './crc32c.ts';
import { encodeHeader, type SectionPlace } from './header.ts';
import { requiredSections, type SectionName } from './section.ts';

/**
 * The bytes of an index in the order of its file: room for the header, the sections in order of kind, the block table. The header is known last, and
 * belongs at the beginning. What a method yields is to be taken whole before the next method is called, and part by part: a part is valid until the next one is asked for.
 */
export class IndexLayout {
  readonly #blocks = new BlockChecksums();
  readonly #places: SectionPlace[] = [];
  #length = 0;
  #tableChecksum = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  *begin(): Generator<Uint8Array> {
    this.#length = format.headerLength;
    yield new Uint8Array(format.headerLength);
  }

  /** A section of `count` rows and `length` bytes, unless it is empty and may be absent. */
  *add(name: SectionName, count: number, length: number, parts: Iterable<Uint8Array>): Generator<Uint8Array> {
    if (count > 0 || requiredSections.includes(name)) {
      yield* this.#align();
      this.#places.push({ name, offset: this.#length, length, count });
    }
    for (const part of parts) yield this.#passed(part);
  }

  *end(): Generator<Uint8Array> {
    yield* this.#align();
    const { name, count, bytes } = this.#blocks.table();
    this.#places.unshift({ name, offset: this.#length, length: bytes.length, count });
    this.#tableChecksum = crc32c(bytes);
    this.#length += bytes.length;
    yield bytes;
  }

  /** Of an index that ended. */
  header(id: Buffer): Uint8Array {
    const sections = this.#places;
    return encodeHeader({ id, fileLength: this.#length, blockTableChecksum: this.#tableChecksum, sections });
  }

  *#align(): Generator<Uint8Array> {
    const padding = -this.#length & (format.sectionAlignment - 1);
    if (padding > 0) yield this.#passed(new Uint8Array(padding));
  }

  #passed(part: Uint8Array): Uint8Array {
    this.#blocks.add(part);
    this.#length += part.length;
    return part;
  }
}
