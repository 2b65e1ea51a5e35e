import { LRUCache } from 'lru-cache';
import * as format from '../format/constants.ts';
import { crc32c } from '../format/crc32c.ts';
import { checksumError, decodeHeader, type Header, type SectionPlace } from '../format/header.ts';
import { bytesOf } from '../format/little-endian.ts';
import { malformed } from '../format/malformed.ts';
import type { SectionName } from '../format/section.ts';
import type { ByteSource } from '../io/byte-source.ts';

/** Blocks kept: 64 MiB. */
const keptBlocks = 1024;

interface Block {
  readonly bytes: Buffer;
  readonly words: Uint32Array;
}

/** The sections of an opened index, read block by block when they are asked for; a block is checked before anything of it is given out. */
export class IndexBlocks {
  readonly source: ByteSource;
  readonly header: Header;
  readonly #sections: Readonly<Partial<Record<SectionName, SectionPlace>>>;
  readonly #checksums: Uint32Array;
  /** Where the block table begins and the last block ends. */
  readonly #end: number;
  readonly #blocks = new LRUCache<number, Block>({ max: keptBlocks });

  /** Reads header and block table, and nothing else. Throws in the order of docs/FORMAT.md §3. */
  constructor(source: ByteSource) {
    const head = Buffer.alloc(Math.min(format.headerLength, source.length));
    source.read(0, head);
    this.source = source;
    this.header = decodeHeader(head, source.length, source.path);
    this.#sections = Object.fromEntries(this.header.sections.map((section) => [section.name, section]));
    const { offset, count, length } = this.section('blocks');
    if (length > format.maxAnswer)
      throw malformed(
        this.place('blocks'),
        `expected at most ${format.maxAnswer} bytes of block table, found ${length}`,
      );
    this.#end = offset;
    this.#checksums = new Uint32Array(count);
    const table = bytesOf(this.#checksums);
    source.read(offset, table);
    const computed = crc32c(table);
    if (computed !== this.header.blockTableChecksum) {
      throw checksumError('block table', this.header.blockTableChecksum, computed, source.path, offset);
    }
  }

  /** Place of a section; an absent one is empty. */
  section(name: SectionName): SectionPlace {
    return this.#sections[name] ?? { name, offset: 0, length: 0, count: 0 };
  }

  /** `length` bytes from `at` of a section on: a view that must not be written to. Throws `malformed` unless they lie within it. */
  bytes(name: SectionName, at: number, length: number): Buffer {
    const section = this.section(name);
    if (length > format.maxAnswer)
      throw malformed(this.place(name), `expected at most ${format.maxAnswer} bytes at once, found ${length}`);
    if (at + length > section.length) {
      const message = `expected ${length} bytes at ${at} of section "${name}", found its end at ${section.length}`;
      throw malformed(this.place(name), message, Math.min(at, section.length));
    }
    let from = section.offset + at;
    if (length === 0) return Buffer.alloc(0);
    const block = this.#blockAt(from);
    const start = (from - format.headerLength) % format.blockSize;
    if (start + length <= block.bytes.length) return block.bytes.subarray(start, start + length);

    const joined = Buffer.alloc(length);
    for (let done = 0; done < length; ) {
      const part = this.#blockAt(from);
      const copied = part.bytes.copy(joined, done, (from - format.headerLength) % format.blockSize);
      done += copied;
      from += copied;
    }
    return joined;
  }

  /** The block's words that hold `at` of a section, and which word that is. `at` is a multiple of 4 within the section. */
  words(name: SectionName, at: number): { words: Uint32Array; at: number } {
    const from = this.section(name).offset + at;
    return { words: this.#blockAt(from).words, at: ((from - format.headerLength) % format.blockSize) / 4 };
  }

  /** Where byte `at` of a section stands in the file, for errors. */
  place(name: SectionName, at = 0): { path: string; offset: number } {
    return { path: this.source.path, offset: this.section(name).offset + at };
  }

  close(): void {
    this.#blocks.clear();
    this.source.close();
  }

  #blockAt(offset: number): Block {
    const number = Math.floor((offset - format.headerLength) / format.blockSize);
    return this.#blocks.get(number) ?? this.#load(number);
  }

  #load(number: number): Block {
    const start = format.headerLength + number * format.blockSize;
    // A memory of its own, so that words are aligned. The block table's offset is a multiple of 64, so there are whole words only.
    const memory = new ArrayBuffer(Math.min(format.blockSize, this.#end - start));
    const block = { bytes: Buffer.from(memory), words: new Uint32Array(memory) };
    this.source.read(start, block.bytes);
    const computed = crc32c(block.bytes);
    if (computed !== this.#checksums[number]) {
      throw checksumError(`block ${number}`, this.#checksums[number], computed, this.source.path, start);
    }
    this.#blocks.set(number, block);
    return block;
  }
}
