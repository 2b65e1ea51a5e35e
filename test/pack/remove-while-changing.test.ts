import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { ShoalError } from '../../src/base/errors.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { contentsOf } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
afterAll(scratch.remove);

type States = [path: string, content: string | null][];

test('while others replace, overwrite and remove files, the image holds states that files had, and nothing is removed that it does not hold', async () => {
  let packed = 0;
  let removed = 0;
  for (let seed = 1; seed <= 8; seed++) {
    const outcome = await race(seed);
    packed += outcome.packed ? 1 : 0;
    removed += outcome.removed;
  }
  // The race is one: some runs are too late, and in others something is removed.
  expect(packed).toBeGreaterThan(0);
  expect(removed).toBeGreaterThan(0);
}, 120_000);

async function race(seed: number): Promise<{ packed: boolean; removed: number }> {
  const place = join(scratch.path, String(seed));
  const tree = join(place, 'tree');
  const initial: States = [];
  mkdirSync(join(place, 'aside'), { recursive: true });
  for (let directory = 0; directory < 20; directory++) {
    mkdirSync(join(tree, String(directory)), { recursive: true });
    for (let file = 0; file < 50; file++) {
      const path = `${directory}/${file}`;
      initial.push([path, `${path} 0`]);
      writeFileSync(join(tree, path), `${path} 0`);
    }
  }
  const mutator = spawn(
    process.execPath,
    [join(import.meta.dirname, 'mutator.mjs'), tree, join(place, 'aside'), String(seed)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  await once(mutator.stdout, 'readable');
  const output = text(mutator.stdout);
  const image = join(place, 'x.shoal');
  let summary: Awaited<ReturnType<typeof packTree>> | undefined;
  for (let tries = 0; summary === undefined && tries < 40; tries++) {
    summary = await packTree([tree], image, { removeSource: true, jobs: 4 }).catch((error: unknown) => {
      // What changed before it was read back is told, and nothing was made or removed.
      if (error instanceof ShoalError && error.code === 'changed') return undefined;
      throw error;
    });
  }
  const ended = once(mutator, 'close');
  mutator.stdin.end();
  await ended;
  const states: States = [...initial, ...(JSON.parse(await output) as States)];

  const held = existsSync(image) ? contentsOf(image) : {};
  const had = new Map<string, Set<string | null>>();
  const last = new Map<string, string | null>();
  for (const [path, content] of states) {
    had.set(path, (had.get(path) ?? new Set()).add(content));
    last.set(path, content);
  }
  for (const [path, content] of Object.entries(held))
    expect([seed, path, had.get(path)?.has(content)]).toEqual([seed, path, true]);
  for (const [path, content] of last) {
    if (content === null) continue;
    const there = existsSync(join(tree, path)) ? readFileSync(join(tree, path), 'utf8') : held[path];
    expect([seed, path, there]).toEqual([seed, path, content]);
  }
  return { packed: summary !== undefined, removed: summary?.removed?.entries ?? 0 };
}
