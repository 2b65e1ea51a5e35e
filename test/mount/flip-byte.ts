import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { openImage } from '../../src/image/open-image.ts';

/** Where the content of an entry of the root begins in the volume. */
export function placeOf(image: string, name: string): number {
  const opened = openImage(image);
  try {
    const { index } = opened;
    return index.get(index.lookup(index.get(0), Buffer.from(name)) as number).offset;
  } finally {
    opened.close();
  }
}

/** Damages a byte of a file; twice, it is whole again. */
export function flipByte(path: string, at: number): void {
  const descriptor = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(descriptor, byte, 0, 1, at);
  writeSync(descriptor, Buffer.of((byte[0] as number) ^ 0x40), 0, 1, at);
  closeSync(descriptor);
}
