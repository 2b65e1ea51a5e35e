import { linkSync, lutimesSync, mkdirSync, mkdtempSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, test } from 'vitest';
import { removeTree } from '../support/remove-tree.ts';
import { scratchDirectory } from './pack-process.ts';
import { expectRight } from './volume-scene.ts';

const scratch = scratchDirectory();
afterAll(scratch.remove);

interface File {
  readonly directory: number;
  readonly name: string;
  readonly kind: 'file' | 'link' | 'alias' | 'holes';
  readonly size: number;
  readonly letter: string;
}

const names = fc.stringMatching(/^[a-c]{1,2}(\.[xy]){0,2}$/);
const file: fc.Arbitrary<File> = fc.record({
  directory: fc.nat(5),
  name: names,
  kind: fc.constantFrom('file', 'file', 'file', 'file', 'link', 'alias', 'holes'),
  size: fc.oneof(fc.constantFrom(0, 1, 511, 512, 70_000, 131_072, 131_073), fc.nat(30_000)),
  letter: fc.constantFrom('p', 'q'),
});
const options = fc.record({
  volumeSize: fc.constantFrom(undefined, 65_536, 100_000, 300_000),
  kept: fc.constantFrom({}, { samples: true }, { dedupe: true }),
  listed: fc.option(fc.array(fc.nat(40), { maxLength: 20 }), { nil: undefined }),
});
const directories = ['', 'a', 'b', 'a/b', 'a/c', 'a/b/c'];

test('whatever the tree and the options, the image holds the tree, and its volumes give its index', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(file, { maxLength: 40 }), options, async (files, { volumeSize, kept, listed }) => {
      const place = mkdtempSync(join(scratch.path, 'run-'));
      const tree = join(place, 'tree');
      const made = makeTree(tree, files);
      const list = join(place, 'list');
      writeFileSync(list, (listed ?? []).map((number) => `${made[number] ?? 'nothing'}\n`).join(''));
      await expectRight(place, tree, { ...kept, volumeSize, order: listed === undefined ? undefined : list });
      removeTree(place);
    }),
    { numRuns: 40, interruptAfterTimeLimit: 60_000 },
  );
}, 120_000);

/** Returns the paths that are not directories. */
function makeTree(tree: string, files: readonly File[]): string[] {
  const made: string[] = [];
  const regular: string[] = [];
  // Directories are called as no file is.
  const within = (number: number) =>
    (directories[number] ?? '').split('/').map((name) => (name === '' ? '' : `${name}.d`));
  for (const number of directories.keys()) mkdirSync(join(tree, ...within(number)), { recursive: true });
  for (const { directory, name, kind, size, letter } of files) {
    const path = join(...within(directory), name);
    if (made.includes(path)) continue;
    made.push(path);
    const target = regular[size % Math.max(1, regular.length)];
    if (kind === 'link') symlinkSync(`${letter}`, join(tree, path));
    else if (kind === 'alias' && target !== undefined) linkSync(join(tree, target), join(tree, path));
    else {
      writeFileSync(join(tree, path), Buffer.alloc(size, letter));
      if (kind === 'holes') truncateSync(join(tree, path), 400_000);
      regular.push(path);
    }
    lutimesSync(join(tree, path), 1e9, size);
  }
  return made;
}
