import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isShoalError } from '../../src/base/errors.ts';
import type { Image } from '../../src/image/image.ts';
import { openImage } from '../../src/image/open-image.ts';
import { base, baseIndex, baseVolume, baseVolumeRow } from '../fixtures/base-image.ts';

let directory: string;
let image: Image;

/** What each file holds, computed from the volume's bytes alone. */
const sparse = Buffer.alloc(1_000_000);
baseVolume.copy(sparse, 65_536, 133_584, 134_184);
baseVolume.copy(sparse, 900_000, 134_184, 134_784);
const contents = new Map<number, Buffer>([
  [base.big, baseVolume.subarray(512, 512 + 132_072)],
  [base.small, baseVolume.subarray(132_584, 133_584)],
  [base.alias, baseVolume.subarray(132_584, 133_584)],
  [base.second, Buffer.alloc(0)],
  [base.sparse, sparse],
]);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'shoal-image-'));
  writeFileSync(join(directory, 'volume.tar'), baseVolume);
  writeFileSync(join(directory, 'base.shoal'), baseIndex());
  image = openImage(join(directory, 'base.shoal'));
});
afterAll(() => {
  image.close();
  rmSync(directory, { recursive: true });
});

describe('an image', () => {
  it('reads any part of any file, holes as zeros, further names as the file that they name', () => {
    const parts = fc.tuple(fc.constantFrom(...contents.keys()), fc.nat(1_100_000), fc.nat(300_000));
    fc.assert(
      fc.property(parts, ([number, offset, length]) => {
        const content = contents.get(number) ?? Buffer.alloc(0);
        const read = image.read(image.index.get(number), offset, length);
        expect(read.equals(content.subarray(offset, offset + length))).toBe(true);
      }),
    );
  });

  it('gives a file from beginning to end', () => {
    for (const [number, content] of contents) {
      expect(Buffer.concat([...image.file(image.index.get(number)).stream()]).equals(content)).toBe(true);
    }
  });

  it('refuses to read what is no file', () => {
    for (const number of [base.root, base.link, base.device]) {
      expect(() => image.file(image.index.get(number))).toThrow(
        expect.toSatisfy((error) => isShoalError(error, 'usage')),
      );
    }
  });

  it('finds a volume by a path from the directory of the index, not from the working directory', () => {
    writeFileSync(join(directory, 'far.shoal'), baseIndex([{ ...baseVolumeRow, name: Buffer.from('./volume.tar') }]));
    const absolute = { ...baseVolumeRow, name: Buffer.from(join(directory, 'volume.tar')) };
    writeFileSync(join(directory, 'absolute.shoal'), baseIndex([absolute]));
    for (const name of ['far.shoal', 'absolute.shoal']) openImage(Buffer.from(join(directory, name))).close();
  });

  it('reads files of a volume without checksums', () => {
    writeFileSync(join(directory, 'plain.shoal'), baseIndex([{ ...baseVolumeRow, flags: 0 }]));
    const plain = openImage(join(directory, 'plain.shoal'));
    expect(plain.read(plain.index.get(base.small), 0, 10).length).toBe(10);
    plain.close();
  });
});
