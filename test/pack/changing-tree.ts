import { mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { ShoalError } from '../../src/base/errors.ts';
import type { PackOptions } from '../../src/pack/pack-options.ts';
import type { PackSummary } from '../../src/pack/pack-summary.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { age, namesIn } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';

/** A tree that changes while it is packed. */
export interface ChangingTree {
  readonly path: string;
  /** The directory of the tree and the image. */
  readonly place: string;
  readonly image: string;
  /** A path outside of the tree, on the same filesystem. */
  readonly aside: string;
  /** Makes the tree as it was, with nothing beside it. */
  renew(): void;
  remove(): void;
}

const names = ['sub/small', 'sub/large', 'sub/sparse', 'sub/empty', 'sub/below/file', 'sub/below', 'sub', '.'];

export function changingTree(): ChangingTree {
  const scratch = scratchDirectory();
  const place = join(scratch.path, 'place');
  const path = join(place, 'tree');
  const renew = () => {
    rmSync(place, { recursive: true, force: true });
    mkdirSync(join(path, 'sub', 'below'), { recursive: true });
    writeFileSync(join(path, 'sub', 'small'), 'small content');
    writeFileSync(join(path, 'sub', 'large'), Buffer.alloc(3_000_000, 'large'));
    writeFileSync(join(path, 'sub', 'sparse'), 'data at its beginning');
    truncateSync(join(path, 'sub', 'sparse'), 1_000_000);
    writeFileSync(join(path, 'sub', 'empty'), '');
    writeFileSync(join(path, 'sub', 'below', 'file'), 'content');
    age(path, names);
    afterTick(join(place, 'probe'));
  };
  return { path, place, image: join(place, 'x.shoal'), aside: join(place, 'aside'), renew, remove: scratch.remove };
}

/** Returns when a change gets another ctime than what was changed before: the clock that stamps files may stand still for milliseconds. */
function afterTick(probe: string): void {
  const stamp = () => {
    writeFileSync(probe, 'x');
    return statSync(probe, { bigint: true }).ctimeNs;
  };
  const before = stamp();
  while (stamp() === before);
  rmSync(probe);
}

/** Packs, and makes `change` when the walk has seen every entry and no file was read yet. */
export async function packWith(
  tree: ChangingTree,
  change: () => void,
  options: PackOptions = {},
  sources: readonly string[] = [tree.path],
): Promise<PackSummary> {
  let changed = false;
  const onProgress: PackOptions['onProgress'] = ({ entriesDone }) => {
    if (changed || entriesDone < names.length) return;
    changed = true;
    change();
  };
  try {
    return await packTree(sources, tree.image, { jobs: 1, ...options, onProgress });
  } finally {
    expect(changed).toBe(true);
  }
}

/** The paths below the tree that are told as changed; the message names them, too, and no image is made. */
export async function changedAfter(tree: ChangingTree, change: () => void): Promise<string[]> {
  const outcome = await packWith(tree, change).catch((error: unknown) => error);
  if (!(outcome instanceof ShoalError)) throw new Error(`expected an error, found ${JSON.stringify(outcome)}`);
  expect(outcome.code).toBe('changed');
  for (const { code, path } of outcome.problems) {
    expect(code).toBe('changed');
    expect(outcome.message).toContain(path);
  }
  expect(namesIn(tree.place).filter((name) => name !== 'aside')).toEqual(['tree']);
  return outcome.problems.map(({ path }) => path.slice(tree.path.length + 1));
}
