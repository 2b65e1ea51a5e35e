import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { PackOptions } from '../../src/pack/pack-options.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { nativeBuildTimeout, nativeProgram } from '../support/native-programs.ts';
import { type ImageFiles, isSame, readImage } from './image-files.ts';
import { fillWithFiles, type SlowTree, slowTree } from './slow-tree.ts';

beforeAll(() => void nativeProgram('slow_storage'), nativeBuildTimeout);

let images = 0;

/** The image always has the same name: the index holds that of its volume. */
async function pack({ scratch }: SlowTree, tree: string, options: PackOptions = {}): Promise<ImageFiles> {
  const directory = join(scratch, `out-${images++}`);
  mkdirSync(directory);
  const image = join(directory, 'x.shoal');
  await packTree([tree], image, options);
  return readImage(image);
}

describe('a tree on storage that takes its time for each metadata operation', () => {
  test.for([
    ['in many directories', 50],
    ['in one directory', 3000],
  ] as const)('with all its files %s: many are asked for at once', async ([, perDirectory], ctx) => {
    const tree = await slowTree(ctx, 5, (source) => fillWithFiles(source, 3000, perDirectory));
    const image = await pack(tree, tree.slow);
    expect((await tree.count()).most).toBeGreaterThanOrEqual(16);
    expect(isSame(image, await pack(tree, tree.source, { jobs: 1 }))).toBe(true);
  });

  test('equal files are found and stored once as fast', async (ctx) => {
    const tree = await slowTree(ctx, 5, (source) => fillWithFiles(source, 3000, 500));
    const image = await pack(tree, tree.slow, { dedupe: true });
    expect((await tree.count()).most).toBeGreaterThanOrEqual(16);
    expect(isSame(image, await pack(tree, tree.source, { dedupe: true, jobs: 1 }))).toBe(true);
  });

  test('no more are asked for at once than the number of threads that is given', async (ctx) => {
    const tree = await slowTree(ctx, 5, (source) => fillWithFiles(source, 200, 20));
    await pack(tree, tree.slow, { jobs: 3 });
    expect((await tree.count()).most).toBe(3);
  });
});

test('threads grow in number where they wait, and while it pays; not where they work, or lack work', (ctx) => {
  const program = nativeProgram('growing_threads_check');
  if ('missing' in program) return ctx.skip(program.missing);
  expect(execFileSync(program.path, { encoding: 'utf8' })).toBe('done\n');
});
