import { linkSync, lutimesSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';

/** What is not a directory in a tree of {@link makeMemberTree}. */
export interface File {
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

/** Trees of which names make WebDataset samples and some files are equal. */
export const arbitraryFiles = fc.array(file, { maxLength: 40, size: 'max' });

const directories = ['', 'a', 'b', 'a/b', 'a/c', 'a/b/c'];

/** Returns the paths that are not directories. */
export function makeMemberTree(tree: string, files: readonly File[]): string[] {
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
