import type { LRUCache } from 'lru-cache';
import { isShoalError, ShoalError } from '../base/errors.ts';
import type { FrameGrid, FramePlace } from '../format/frames.ts';
import type { ByteSource } from '../io/byte-source.ts';
import { loadAddon, toShoalError } from '../native/load.ts';

/** Decompressed frames by name, those used least gone first. */
export type FrameCache = LRUCache<string, Buffer>;

/** The plain bytes of a compressed volume (docs/FORMAT.md §6.4). A frame that is damaged is read once more, then it is `checksum`. */
export class FramedSource implements ByteSource {
  readonly #file: ByteSource;
  readonly #grid: FrameGrid;
  readonly #locate: (frame: number) => FramePlace;
  readonly #cache: FrameCache;

  /** Takes `file` over. `locate` says where in it a frame lies; in the cache frames have the file's path as the beginning of their names. */
  constructor(file: ByteSource, grid: FrameGrid, locate: (frame: number) => FramePlace, cache: FrameCache) {
    this.#file = file;
    this.#grid = grid;
    this.#locate = locate;
    this.#cache = cache;
  }

  get path(): string {
    return this.#file.path;
  }

  get length(): number {
    return this.#grid.plainLength;
  }

  read(offset: number, into: Uint8Array): void {
    const { frameLength } = this.#grid;
    for (let done = 0; done < into.length; ) {
      const at = offset + done;
      const bytes = this.#frame(Math.floor(at / frameLength));
      const part = bytes.subarray(at % frameLength, (at % frameLength) + into.length - done);
      into.set(part, done);
      done += part.length;
    }
  }

  close(): void {
    this.#file.close();
  }

  #frame(frame: number): Buffer {
    const name = `${this.path}:${frame}`;
    let bytes = this.#cache.get(name);
    if (bytes === undefined) {
      bytes = this.#load(frame);
      this.#cache.set(name, bytes);
    }
    return bytes;
  }

  #load(frame: number): Buffer {
    const { frameLength, plainLength } = this.#grid;
    const place = this.#locate(frame);
    const bytes = Buffer.alloc(Math.min(frameLength, plainLength - frame * frameLength));
    try {
      return this.#decompress(place, bytes);
    } catch (error) {
      if (!isShoalError(error, 'checksum')) throw error;
      return this.#decompress(place, bytes);
    }
  }

  #decompress({ offset, length }: FramePlace, into: Buffer): Buffer {
    const compressed = Buffer.alloc(length);
    this.#file.read(offset, compressed);
    const addon = loadAddon();
    try {
      addon.zstdDecompress(compressed, into);
    } catch (error) {
      const { code, message } = toShoalError(error);
      throw new ShoalError(code, message, { path: this.path, offset, cause: error });
    }
    return into;
  }
}
