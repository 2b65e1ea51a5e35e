import { describe, expect, it } from 'vitest';
import { exitCode, ShoalError } from '../../src/base/errors.ts';
import { IndexReader } from '../../src/image/index-reader.ts';
import { baseIndex } from '../fixtures/base-image.ts';
import { ImageEditor } from '../fixtures/image-editor.ts';
import { encodeIndex } from '../support/encode-image.ts';
import { MemorySource } from '../support/memory-source.ts';
import { directory, file } from '../support/model-tree.ts';
import { seededRandom } from '../support/random.ts';
import { readEverything } from '../support/read-everything.ts';

const seed = 20250101;
/** Values that arithmetic goes wrong with. */
const edges = [0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

/** All answers, or the error that ended them. */
function answers(bytes: Uint8Array): string[] | ShoalError {
  try {
    return readEverything(new IndexReader(new MemorySource(bytes)));
  } catch (error) {
    // Any other exception is a fault of the reader and fails the test.
    if (error instanceof ShoalError) return error;
    throw error;
  }
}

/** Changes a byte, or a word to one of the edges, somewhere. */
function damage(image: ImageEditor, random: () => number): void {
  const { bytes } = image;
  const at = Math.floor(random() * bytes.length);
  if (random() < 0.25) {
    image.set32(Math.min(at & ~3, bytes.length - 4), edges[Math.floor(random() * edges.length)]);
  } else {
    bytes[at] ^= 1 + Math.floor(random() * 255);
  }
}

describe.each([
  ['every kind of entry', baseIndex(), 4000],
  [
    'several blocks',
    encodeIndex(
      directory(
        '',
        Array.from({ length: 3000 }, (_, i) => file(`file ${i}`, 1, i)),
      ),
    ),
    40,
  ],
])('an index of %s, damaged anywhere', (_, intact, trials) => {
  const whole = answers(intact);

  it('answers as before or tells that it is damaged', () => {
    const random = seededRandom(seed);
    for (let trial = 0; trial < trials; trial++) {
      const image = new ImageEditor(intact);
      damage(image, random);
      const told = answers(image.bytes);
      if (told instanceof ShoalError) expect(exitCode(told.code), told.message).toBe(3);
      else expect(told).toEqual(whole);
    }
  });

  it('gives answers or a damage error also where the checksums are right', () => {
    const random = seededRandom(seed + 1);
    let found = 0;
    for (let trial = 0; trial < trials; trial++) {
      const image = new ImageEditor(intact);
      damage(image, random);
      try {
        image.seal();
      } catch {
        // The place of the block table is what was damaged.
        image.sealHeader();
      }
      const told = answers(image.bytes);
      if (!(told instanceof ShoalError)) continue;
      found++;
      expect(exitCode(told.code), told.message).toBe(3);
    }
    expect(found).toBeGreaterThan(0);
  });
});
