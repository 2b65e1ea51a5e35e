import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { openImage } from '../../src/image/open-image.ts';
import { loadAddon } from '../../src/native/load.ts';
import { mergeImages } from '../../src/pack/merge-images.ts';
import { arbitraryLayers } from '../support/arbitrary-layers.ts';
import { buildImage, type Node } from '../support/build-image.ts';
import { overlay, type Shown } from '../support/overlay-model.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
afterAll(scratch.remove);
const at = (name: string) => join(scratch.path, name);
const typeBits = { directory: 0o40000, file: 0o100000, link: 0o120000, fifo: 0o10000 };

function build(layers: readonly Node[]): string[] {
  return layers.map((layer, number) => buildImage(scratch.path, `layer-${number}`, layer).index);
}

/** Holds every entry of the image against what an overlay of the trees shows, as both readers tell it. */
function compare(index: string, shown: ReadonlyMap<string, Shown>): void {
  const image = openImage(index);
  const native = loadAddon().openIndex(Buffer.from(index));
  try {
    expect(image.index.entryCount).toBe(shown.size);
    expect(native.entries).toBe(shown.size);
    const entryOf = new Map<Node, number>();
    for (let number = 0; number < shown.size; number++) {
      const path = image.index.entryPath(number).toString('latin1');
      expect(native.path(number).toString('latin1')).toBe(path);
      const named = (shown.get(path) as Shown).node;
      const node = named.kind === 'alias' ? named.of : named;
      const entry = image.index.resolve(number);
      // The first name of a file in index order is its entry, the others are aliases of that.
      expect(entry.number).toBe(entryOf.get(node) ?? number);
      entryOf.set(node, entry.number);
      expect(native.stat(entry.number)).toMatchObject({
        mode: typeBits[node.kind as keyof typeof typeBits] | (node.mode ?? 0o644),
        uid: node.uid ?? 0,
        seconds: node.seconds ?? 0,
        nlink: node.nlink ?? 1,
      });
      if (node.kind === 'file') expect(image.read(entry, 0, entry.size).equals(node.content)).toBe(true);
      if (node.kind === 'link') expect(image.index.linkTarget(entry).equals(node.target)).toBe(true);
    }
  } finally {
    image.close();
  }
}

test('a merged image holds what an overlay of the trees in memory shows', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryLayers, async (layers) => {
      await mergeImages(build(layers), at('all.shoal'), { force: true });
      compare(at('all.shoal'), overlay(layers));
    }),
    { numRuns: 60 },
  );
}, 120_000);

test('merging step by step gives the same bytes as at once, and one image alone stays what it is', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryLayers, async (layers) => {
      const parts = build(layers);
      const [first, ...others] = parts as [string, ...string[]];
      const atOnce = await mergeImages(parts, at('all.shoal'), { force: true });
      const alone = await mergeImages([first], at('step-0.shoal'), { force: true });
      expect(alone.id).toBe(openedId(first));
      let last = at('step-0.shoal');
      for (const [number, part] of others.entries()) {
        const next = at(`step-${number + 1}.shoal`);
        await mergeImages([last, part], next, { force: true });
        last = next;
      }
      expect(readFileSync(last).equals(readFileSync(at('all.shoal')))).toBe(true);
      expect(atOnce.id).toBe(openedId(last));
    }),
    { numRuns: 40 },
  );
}, 120_000);

function openedId(index: string): string {
  const image = openImage(index);
  try {
    return image.index.id.toString('hex');
  } finally {
    image.close();
  }
}
