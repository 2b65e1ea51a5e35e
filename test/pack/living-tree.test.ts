import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isShoalError } from '../../src/base/errors.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { contentsOf, expectWhole, namesIn } from './image-files.ts';
import { isState, stateOf } from './living-tree-state.mjs';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
afterAll(scratch.remove);

/** Trees; SHOAL_LIVING_TREES=1000 looks longer. Of each, so many images, of at most so many packs: some find changes without end. */
const trees = Number(process.env['SHOAL_LIVING_TREES'] ?? 4);
const images = 4;
const packs = 60;

test('of files that others write, replace and remove meanwhile, the image holds states that they had, or they are told', async () => {
  const found = { images: 0, told: 0, held: 0 };
  for (let seed = 1; seed <= trees; seed++) await live(seed, found);
  // The race is one: there are images, and files that they lack.
  for (const [what, count] of Object.entries(found)) expect([what, count > 0]).toEqual([what, true]);
}, 3_600_000);

async function live(seed: number, found: { images: number; told: number; held: number }) {
  const place = join(scratch.path, String(seed));
  const tree = join(place, 'tree');
  const image = join(place, 'x.shoal');
  mkdirSync(join(place, 'aside'), { recursive: true });
  const paths: string[] = [];
  for (let directory = 0; directory < 10; directory++) {
    mkdirSync(join(tree, `d${directory}`), { recursive: true });
    for (let file = 0; file < 30; file++) {
      const path = `d${directory}/f${file}`;
      // Small ones, some without a block, and some that are read in several pieces while one call writes them.
      writeFileSync(join(tree, path), stateOf(path, 0, file % 10 === 0 ? 6000 : file % 4));
      paths.push(path);
    }
  }
  const program = join(import.meta.dirname, 'living-tree-writer.mjs');
  const writer = spawn(process.execPath, [program, tree, join(place, 'aside'), `${seed}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(writer.stdout, 'data');
  try {
    for (let pack = 0, made = 0; pack < packs && made < images; pack++) {
      const skipUnreadable = pack > 0;
      const before = paths.filter((path) => existsSync(join(tree, path)));
      const summary = await packTree([tree], image, { skipUnreadable, jobs: 4, force: true }).catch(
        (error: unknown) => {
          // Without the other option the first change ends it; with it, changes that do not end do.
          if (isShoalError(error, 'changed')) return undefined;
          throw error;
        },
      );
      if (summary === undefined) continue;
      made++;
      found.images++;
      await expectWhole(image);
      const held = contentsOf(image);
      const torn = Object.keys(held).filter((path) => !isState(path, held[path]));
      expect([seed, torn]).toEqual([seed, []]);
      const told = new Set(summary.unreadable.map(({ path }) => path.toString().slice(tree.length + 1)));
      found.told += told.size;
      found.held += Object.keys(held).length;
      const isLost = (path: string) => held[path] === undefined && !told.has(path) && existsSync(join(tree, path));
      const lost = before.filter(isLost);
      expect([seed, lost]).toEqual([seed, []]);
    }
  } finally {
    const ended = once(writer, 'close');
    writer.stdin.end();
    await ended;
  }
  expect(namesIn(place).filter((name) => name.includes('partial'))).toEqual([]);
  rmSync(place, { recursive: true });
}
