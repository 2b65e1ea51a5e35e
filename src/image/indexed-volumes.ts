import * as format from '../format/constants.ts';
import { openFileSource } from '../io/file-source.ts';
import { openIndex } from './open-image.ts';

/** What an index says of the volumes that Shoal wrote for it. */
export interface IndexedVolumes {
  readonly id: Buffer;
  /** Of those that lie beside it. */
  readonly names: readonly Buffer[];
}

/** Throws as {@link openIndex}. */
export function indexedVolumes(path: Buffer): IndexedVolumes {
  const index = openIndex(path);
  try {
    const names = index
      .volumes()
      .filter(({ name, flags }) => (flags & format.volumeByShoal) !== 0 && !name.includes(0x2f))
      .map(({ name }) => name);
    return { id: index.id, names };
  } finally {
    index.close();
  }
}

const recordsOffset = 512;
const headLength = 1024;

/** The image's id in the head of the volume at `path` (docs/FORMAT.md §6.1); undefined for what is no such volume. Throws `missing` where there is nothing. */
export function volumeId(path: Buffer): Buffer | undefined {
  const source = openFileSource(path, 'wrong-volume');
  try {
    const head = Buffer.alloc(Math.min(headLength, source.length));
    source.read(0, head);
    const [, id] =
      /^\d+ comment=shoal volume 1 id=([0-9a-f]{32})[ \n]/.exec(head.toString('latin1', recordsOffset)) ?? [];
    return id === undefined ? undefined : Buffer.from(id, 'hex');
  } finally {
    source.close();
  }
}
