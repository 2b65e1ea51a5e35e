import { Image } from './image.ts';
import { IndexReader } from './index-reader.ts';

/**
 * Opens the image whose index is at `path`: its names, its metadata and its content. Close it when done.
 *
 * @throws ShoalError `missing`, `permission`, `io`; `not-image`, `version`, `truncated`, `checksum`, `malformed` where it is no image or a damaged one;
 * `wrong-volume` where another file lies in the place of a volume.
 *
 * @example
 * ```ts
 * const image = openImage('photos.shoal');
 * const entry = image.index.resolvePath(Buffer.from('cats/1.txt'));
 * if (entry !== undefined) for (const piece of image.file(entry).stream()) process.stdout.write(piece);
 * image.close();
 * ```
 */
export function openImage(path: string | Buffer): Image {
  return Image.open(Buffer.from(path));
}

/**
 * Opens the index at `path` alone: names and metadata, also where the volumes are not at hand. Close it when done.
 *
 * @throws ShoalError as {@link openImage}, but for the volumes.
 *
 * @example
 * ```ts
 * const index = openIndex('photos.shoal');
 * for (const entry of index.children(index.get(0))) console.log(index.name(entry.number).toString(), entry.size);
 * index.close();
 * ```
 */
export function openIndex(path: string | Buffer): IndexReader {
  return IndexReader.open(Buffer.from(path));
}
