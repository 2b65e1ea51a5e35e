import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { arbitraryLayers } from './support/arbitrary-layers.ts';
import { buildImage, type Node } from './support/build-image.ts';
import { encodeIndex } from './support/encode-image.ts';
import { directory, file, type ModelNode } from './support/model-tree.ts';
import { nativeBuildTimeout, nativeProgram } from './support/native-programs.ts';
import { below, overlay, type Shown } from './support/overlay-model.ts';

let program: ReturnType<typeof nativeProgram>;
let scratch: string;
beforeAll(() => {
  program = nativeProgram('tree_walk');
  scratch = mkdtempSync(join(tmpdir(), 'shoal-tree-'));
}, nativeBuildTimeout);
afterAll(() => rmSync(scratch, { recursive: true }));

const hex = (path: string) => Buffer.from(path, 'latin1').toString('hex');

/** What tree_walk says of the images, four threads at once; the last line is `end` or the code of an error. */
function walk(ctx: TestContext, indexes: readonly string[], subdir = '', options: readonly string[] = []): string[] {
  if ('missing' in program) return ctx.skip(program.missing);
  const input = `${[hex(subdir) || '-', ...indexes].join(' ')}\n`;
  return execFileSync(program.path, options, { input, encoding: 'utf8', maxBuffer: 1 << 28 })
    .trimEnd()
    .split('\n');
}

function build(roots: readonly Node[]) {
  return roots.map((root, number) => buildImage(scratch, `layer-${number}`, root));
}

describe('the tree of several images', () => {
  test('is that of an overlay in memory, for handles, lookups and listings alike, from any directory on', (ctx) => {
    fc.assert(
      fc.property(arbitraryLayers, fc.nat(), (roots, choice) => {
        const images = build(roots);
        const shown = overlay(roots);
        const lines = (entries: ReadonlyMap<string, Shown>) =>
          [...entries].map(([path, { layer, node, merged }]) => {
            const kind = node.kind !== 'directory' ? '-' : merged ? 'm' : 'd';
            return `${hex(path)} ${layer} ${images.at(-1 - layer)?.numbers.get(node)} ${kind}`;
          });
        const indexes = images.map(({ index }) => index);
        expect(walk(ctx, indexes)).toEqual([...lines(shown).sort(), 'end']);

        const [path, { node }] = [...shown][choice % shown.size] as [string, Shown];
        const expected = node.kind === 'directory' ? [...lines(below(shown, path)).sort(), 'end'] : ['usage'];
        expect(walk(ctx, indexes, `/${path}/`)).toEqual(expected);
        expect(walk(ctx, indexes, `${path}/none`)).toEqual(['usage']);
      }),
      { numRuns: 40 },
    );
  }, 120_000);

  test('takes no path for the root that leads out of it', (ctx) => {
    const [image] = build([{ kind: 'directory', mode: 0o755, children: {} }]);
    expect(walk(ctx, [image?.index as string], '..')).toEqual(['usage']);
    expect(walk(ctx, [image?.index as string], './/.')).toEqual([' 0 0 d', 'end']);
  });

  test('has directories of 100 000 names in each of three images', (ctx) => {
    const names = (first: number): ModelNode[] =>
      Array.from({ length: 100_000 }, (_, number) => file(`f${first + number}`, 0, 0));
    const indexes = [0, 50_000, 250_000].map((first, number) => {
      const path = join(scratch, `crowd-${number}.shoal`);
      writeFileSync(path, encodeIndex(directory('', [directory('crowd', names(first))]), { volumes: [] }));
      return path;
    });
    expect(walk(ctx, indexes, '', ['--count'])).toEqual([String(2 + 250_000), 'end']);
  }, 120_000);

  test('has room for 1 024 images, and says so', (ctx) => {
    const [image] = build([{ kind: 'directory', mode: 0o755, children: {} }]);
    const index = image?.index as string;
    expect(walk(ctx, Array(1025).fill(index))).toEqual(['usage']);
    expect(walk(ctx, Array(1024).fill(index))).toEqual([' 0 0 m', 'end']);
  });
});
