import { LRUCache } from 'lru-cache';
import type { ByteSource } from '../io/byte-source.ts';
import type { Entry } from './entry.ts';
import { FileReader, type OpenedVolume } from './file-reader.ts';
import { type FrameCache, FramedSource } from './framed-source.ts';
import { IndexReader } from './index-reader.ts';
import { openVolume, volumePath } from './open-volume.ts';

/** Bytes of decompressed frames kept: four of the longest. */
const keptBytes = 2 ** 25;

/** An opened image: its index, and exact, checked reads of its entries' content. {@link close} it. */
export class Image {
  readonly index: IndexReader;
  readonly #volumes: readonly OpenedVolume[];

  /** Opens index and volumes. Throws what is wrong with them: see {@link IndexReader} and {@link openVolume}. */
  static open(path: Buffer): Image {
    const index = IndexReader.open(path);
    const volumes: OpenedVolume[] = [];
    try {
      const frames: FrameCache = new LRUCache({ maxSize: keptBytes, sizeCalculation: ({ length }) => length });
      for (const [row, volume] of index.volumes().entries()) {
        const file = openVolume(volumePath(path, volume.name), volume);
        volumes.push({ ...volume, source: plainBytes(index, row, file, frames), forget: () => frames.clear() });
      }
      return new Image(index, volumes);
    } catch (error) {
      for (const { source } of volumes) source.close();
      index.close();
      throw error;
    }
  }

  private constructor(index: IndexReader, volumes: readonly OpenedVolume[]) {
    this.index = index;
    this.#volumes = volumes;
  }

  /** A reader of the content of a file (of the entry that an alias names). Throws `usage` if it is none. */
  file(entry: Entry): FileReader {
    return new FileReader(this.index, this.#volumes, entry.alias ? this.index.resolve(entry.number) : entry);
  }

  /** `length` bytes of a file's content from `offset` on; fewer only where it ends. */
  read(entry: Entry, offset: number, length: number): Buffer {
    return this.file(entry).read(offset, length);
  }

  close(): void {
    for (const { source } of this.#volumes) source.close();
    this.index.close();
  }
}

function plainBytes(index: IndexReader, row: number, file: ByteSource, cache: FrameCache): ByteSource {
  const table = index.frameTable(row);
  return table === undefined ? file : new FramedSource(file, table, (frame) => index.frame(row, table, frame), cache);
}
