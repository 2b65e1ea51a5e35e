import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../random.ts';

/** A directory whose files are known, and a list of their paths, each ended by NUL. */
export interface SoakTree {
  readonly directory: string;
  readonly paths: string;
  readonly files: number;
}

const SMALL = 12_000;
/** Longer than a chunk of checksums, and than the longest request. */
const LARGE = 3 << 20;

/** Most files are small; one of forty is not. */
export function makeSoakTree(below: string, files: number): SoakTree {
  const random = seededRandom(3);
  const pool = Buffer.alloc(LARGE * 2);
  random.fill(pool);
  const tree = { directory: join(below, 'tree'), paths: join(below, 'paths'), files };
  const paths = Array.from({ length: files }, (_, file) => `d${file % 100}/e${file % 7}/file-${file}`);
  for (const [file, path] of paths.entries()) {
    const length = random.below(file % 40 === 0 ? LARGE : SMALL);
    mkdirSync(join(tree.directory, path, '..'), { recursive: true });
    const start = random.below(LARGE);
    writeFileSync(join(tree.directory, path), pool.subarray(start, start + length));
  }
  writeFileSync(tree.paths, paths.map((path) => `${path}\0`).join(''));
  return tree;
}
