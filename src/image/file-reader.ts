import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import * as format from '../format/constants.ts';
import { crc32c } from '../format/crc32c.ts';
import type { Extent } from '../format/extents.ts';
import type { Volume } from '../format/volumes.ts';
import type { ByteSource } from '../io/byte-source.ts';
import type { Entry } from './entry.ts';
import type { IndexReader } from './index-reader.ts';

/** A volume, opened and known to be the right one. */
export interface OpenedVolume extends Volume {
  /** Its plain bytes. */
  readonly source: ByteSource;
  /** The next read comes from storage. */
  forget(): void;
}

/** An extent and where its bytes stand among the file's stored bytes. */
interface StoredExtent extends Extent {
  readonly storedOffset: number;
}

/** Bytes that {@link FileReader.stream} gives at a time, at most. */
const streamLength = 8 * format.chunkLength;

/** Reads the content of one file, holding every byte against its checksum before it is given out. Keeps the chunk read last. */
export class FileReader {
  readonly #index: IndexReader;
  readonly #volumes: readonly OpenedVolume[];
  readonly #entry: Entry;
  readonly #extents: readonly StoredExtent[];
  readonly #storedLength: number;
  readonly #checked: boolean;
  #chunk: { readonly number: number; readonly bytes: Buffer } | undefined;

  /** Throws `usage` if `entry` is no file, `unsupported` if it lies behind an unknown codec. */
  constructor(index: IndexReader, volumes: readonly OpenedVolume[], entry: Entry) {
    this.#index = index;
    this.#volumes = volumes;
    this.#entry = entry;
    let storedOffset = 0;
    this.#extents = index.extents(entry).map((extent) => {
      const stored = { ...extent, storedOffset };
      storedOffset += extent.length;
      return stored;
    });
    this.#storedLength = storedOffset;
    this.#checked = this.#areChecked();
  }

  get size(): number {
    return this.#entry.size;
  }

  /** `length` bytes from `offset` on; fewer only where the file ends. Holes are zeros. Throws `checksum`, `truncated`, `io`, `malformed`. */
  read(offset: number, length: number): Buffer {
    const end = Math.min(offset + length, this.size);
    const content = Buffer.alloc(Math.max(0, end - offset));
    for (let i = this.#firstEndingAfter(offset); i < this.#extents.length && this.#extents[i].fileOffset < end; i++) {
      const extent = this.#extents[i];
      const from = Math.max(offset, extent.fileOffset);
      const to = Math.min(end, extent.fileOffset + extent.length);
      this.#copyStored(extent.storedOffset + from - extent.fileOffset, content.subarray(from - offset, to - offset));
    }
    return content;
  }

  /** The content from beginning to end, in pieces of up to 1 MiB. */
  *stream(): Generator<Buffer> {
    for (let offset = 0; offset < this.size; offset += streamLength) yield this.read(offset, streamLength);
  }

  /** Place of the first extent that ends behind `offset` of the content. */
  #firstEndingAfter(offset: number): number {
    let low = 0;
    for (let high = this.#extents.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if (this.#extents[middle].fileOffset + this.#extents[middle].length <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #copyStored(storedOffset: number, into: Buffer): void {
    for (let done = 0; done < into.length; ) {
      const number = Math.floor((storedOffset + done) / format.chunkLength);
      if (this.#chunk?.number !== number) this.#chunk = { number, bytes: this.#readChunk(number) };
      done += this.#chunk.bytes.copy(into, done, (storedOffset + done) % format.chunkLength);
    }
  }

  /** A chunk of the stored bytes, checked. Bytes that do not fit their checksum are read once more: what failed may have been the way here. */
  #readChunk(number: number): Buffer {
    const start = number * format.chunkLength;
    const bytes = Buffer.alloc(Math.min(format.chunkLength, this.#storedLength - start));
    this.#readStored(start, bytes);
    if (!this.#checked) return bytes;
    const { checksum } = this.#entry;
    const expected = this.#storedLength <= format.chunkLength ? checksum : this.#index.chunkChecksum(checksum + number);
    if (crc32c(bytes) === expected) return bytes;
    for (const { volume } of this.#extents) this.#volumes[volume].forget();
    this.#readStored(start, bytes);
    if (crc32c(bytes) === expected) return bytes;
    const { extent, offset } = this.#place(start);
    const name = showBytes(this.#index.entryPath(this.#entry.number));
    throw new ShoalError('checksum', `the bytes of "${name}" are not those that were packed; copy the volume anew`, {
      path: this.#volumes[extent.volume].source.path,
      offset,
    });
  }

  #readStored(start: number, into: Buffer): void {
    for (let done = 0; done < into.length; ) {
      const { extent, offset } = this.#place(start + done);
      const length = Math.min(into.length - done, extent.offset + extent.length - offset);
      this.#volumes[extent.volume].source.read(offset, into.subarray(done, done + length));
      done += length;
    }
  }

  /** The extent that holds a stored byte, and the byte's offset in the extent's volume. */
  #place(storedOffset: number): { extent: StoredExtent; offset: number } {
    let low = 0;
    for (let high = this.#extents.length - 1; low < high; ) {
      const middle = (low + high + 1) >>> 1;
      if (this.#extents[middle].storedOffset <= storedOffset) low = middle;
      else high = middle - 1;
    }
    const extent = this.#extents[low];
    return { extent, offset: extent.offset + storedOffset - extent.storedOffset };
  }

  #areChecked(): boolean {
    const volumes = this.#extents.map((extent) => this.#volumes[extent.volume]);
    const unknown = volumes.find(({ codec }) => codec !== format.codecNone && codec !== format.codecZstd);
    if (unknown !== undefined) {
      const message = `expected a volume stored as is or as zstd frames, found codec ${unknown.codec}; use a newer shoal`;
      throw new ShoalError('unsupported', message, { path: unknown.source.path });
    }
    const checked = volumes.filter((volume) => volume.flags & format.volumeHasChecksums).length;
    if (checked !== 0 && checked !== volumes.length) {
      const message = `entry ${this.#entry.number}: expected volumes that all have checksums or all have none, found both`;
      throw new ShoalError('malformed', message, { path: this.#index.path });
    }
    return checked !== 0;
  }
}
