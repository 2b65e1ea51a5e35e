import type { Entry } from './entry.ts';
import { FileReader, type OpenedVolume } from './file-reader.ts';
import { IndexReader } from './index-reader.ts';
import { openVolume, volumePath } from './open-volume.ts';

/** An opened image: its index, and exact, checked reads of its entries' content. {@link close} it. */
export class Image {
  readonly index: IndexReader;
  readonly #volumes: readonly OpenedVolume[];

  /** Opens index and volumes. Throws what is wrong with them: see {@link IndexReader} and {@link openVolume}. */
  static open(path: Buffer): Image {
    const index = IndexReader.open(path);
    const volumes: OpenedVolume[] = [];
    try {
      for (const volume of index.volumes()) {
        volumes.push({ ...volume, source: openVolume(volumePath(path, volume.name), volume) });
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
