import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { ShoalError } from '../../src/base/errors.ts';
import type { Image } from '../../src/image/image.ts';
import { openImage } from '../../src/image/open-image.ts';
import { verifyImage } from '../../src/image/verify.ts';
import type { PackOptions } from '../../src/pack/pack-options.ts';
import { packTree } from '../../src/pack/pack-tree.ts';

export interface ImageFiles {
  readonly index: Buffer;
  readonly volume: Buffer;
}

/** Both files of the image at `index`. */
export function readImage(index: string): ImageFiles {
  return { index: readFileSync(index), volume: readFileSync(volumeOf(index)) };
}

export function writeImage(index: string, files: ImageFiles): void {
  writeFileSync(volumeOf(index), files.volume);
  writeFileSync(index, files.index);
}

export function volumeOf(index: string): string {
  return index.replace(/\.shoal$/, '.tar');
}

export function isSame(a: ImageFiles, b: ImageFiles): boolean {
  return a.index.equals(b.index) && a.volume.equals(b.volume);
}

/** Every byte is there and fits its checksum. */
export async function expectWhole(index: string): Promise<void> {
  expect((await verifyImage(index)).problems).toEqual([]);
}

/** Packing fails; the error is returned. */
export async function packError(
  sources: readonly (string | Buffer)[],
  output: string,
  options: PackOptions = {},
): Promise<ShoalError> {
  const outcome = await packTree(sources, output, options).catch((error: unknown) => error);
  if (outcome instanceof ShoalError) return outcome;
  if (outcome instanceof Error) throw outcome;
  throw new Error(`expected packing to fail, found ${JSON.stringify(outcome)}`);
}

export function namesIn(directory: string): string[] {
  return readdirSync(directory).sort();
}

/** Gives entries an mtime that no change will give them again, however coarse the filesystem's clock is. */
export function age(directory: string, names: readonly string[]): void {
  for (const name of names) utimesSync(join(directory, name), 1e9, 1e9);
}

/** The paths of all files in the image, each with its content. */
export function contentsOf(index: string): Record<string, string> {
  return withImage(index, (opened) => {
    const found: Record<string, string> = {};
    for (let number = 0; number < opened.index.entryCount; number++) {
      const entry = opened.index.resolve(number);
      if (entry.kind !== 'file') continue;
      found[opened.index.entryPath(number).toString()] = opened.read(entry, 0, entry.size).toString();
    }
    return found;
  });
}

/** The names in the root. */
export function rootNames(image: string): Buffer[] {
  return withImage(image, ({ index }) => [...index.children(index.get(0))].map(({ number }) => index.name(number)));
}

function withImage<T>(index: string, look: (opened: Image) => T): T {
  const opened = openImage(index);
  try {
    return look(opened);
  } finally {
    opened.close();
  }
}
