import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { isSame, namesIn, readImage } from './image-files.ts';
import { anotherUser, directoryOf, openUp, plainUser } from './other-user.ts';
import { type PackOutcome, scratchDirectory, startPack } from './pack-process.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const place = join(scratch.path, 'place');
const image = join(place, 'x.shoal');
let user: number | undefined;

beforeEach((ctx) => {
  user = plainUser(ctx as Parameters<typeof plainUser>[0]);
  openUp(scratch.path);
  clear();
  directoryOf(user, place);
  mkdirSync(join(tree, 'a'), { recursive: true });
  for (const name of ['a/1', 'a/2', 'b', 'z']) writeFileSync(join(tree, name), `content of ${name}`);
  writeFileSync(join(tree, 'large'), Buffer.alloc(3_000_000, 'x'));
  for (const name of ['closed', 'listed', 'searched']) {
    mkdirSync(join(tree, name));
    writeFileSync(join(tree, name, 'in'), '');
  }
});
afterAll(() => {
  clear();
  scratch.remove();
});

/** Also what its owner may not read. */
function clear(): void {
  for (const name of ['closed', 'listed', 'searched']) {
    try {
      chmodSync(join(tree, name), 0o700);
    } catch {
      // Not made yet.
    }
  }
  rmSync(tree, { recursive: true, force: true });
  rmSync(place, { recursive: true, force: true });
}

function forbid(modes: Readonly<Record<string, number>>): void {
  for (const [name, mode] of Object.entries(modes)) chmodSync(join(tree, name), mode);
}

function pathsOf({ problems = [] }: PackOutcome): string[] {
  return problems.map(({ path }) => path);
}

test('all entries that may not be read are listed in the order of their paths, and no image is made', async () => {
  // Permissions stop a user who is not their owner; on our own files they stop us.
  forbid({ 'a/2': 0, b: 0, large: 0, closed: 0, listed: 0o444, searched: 0o111 });
  const outcome = await startPack(image, [tree], user).outcome;
  const expected = ['a/2', 'b', 'closed', 'large', 'listed', 'searched'].map((name) => join(tree, name));
  expect(pathsOf(outcome)).toEqual(expected);
  expect(outcome.code).toBe('unreadable');
  for (const { code, message } of outcome.problems ?? []) {
    expect(code).toBe('unreadable');
    expect(message).toMatch(/permission denied/i);
  }
  for (const path of expected.slice(0, 3)) expect(outcome.message).toContain(`${path} (`);
  expect(outcome.message).toContain('6 could not be read');
  expect(outcome.message).toContain('and 3 more');
  expect(outcome.message).toContain('No image was made');
  expect(namesIn(place)).toEqual([]);
});

test('hundreds of them are all listed', async () => {
  const names = Array.from({ length: 500 }, (_, i) => join(tree, 'a', `file-${String(i).padStart(3, '0')}`));
  for (const name of names) writeFileSync(name, 'x', { mode: 0 });
  const outcome = await startPack(image, [tree], user).outcome;
  expect(pathsOf(outcome)).toEqual(names);
  expect(outcome.message).toContain('and 497 more');
});

test('a source that may not be listed is named', async () => {
  forbid({ closed: 0 });
  const outcome = await startPack(image, [join(tree, 'closed')], user).outcome;
  expect(outcome).toMatchObject({ code: 'unreadable', problems: [{ path: join(tree, 'closed'), code: 'unreadable' }] });
  expect(namesIn(place)).toEqual([]);
});

test('a source below a directory that may not be searched is told before any work', async () => {
  forbid({ closed: 0 });
  const outcome = await startPack(image, [join(tree, 'closed', 'in')], user).outcome;
  expect(outcome).toMatchObject({ code: 'permission', message: expect.stringContaining('source') });
  expect(namesIn(place)).toEqual([]);
});

test('when they may be read again, the next run makes the image', async () => {
  forbid({ b: 0 });
  expect((await startPack(image, [tree], user).outcome).code).toBe('unreadable');
  forbid({ b: 0o644 });
  expect(await startPack(image, [tree], user).outcome).toMatchObject({ entries: 13 });
  expect(namesIn(place)).toEqual(['x.shoal', 'x.tar']);
});

test('a file that others may read is packed by those who do not own it', async (ctx) => {
  const another = anotherUser(ctx);
  expect(await startPack(image, [tree], another).outcome).toMatchObject({ entries: 13 });
  const theirs = readImage(image);
  rmSync(place, { recursive: true });
  mkdirSync(place);
  await startPack(image, [tree]).outcome;
  expect(isSame(readImage(image), theirs)).toBe(true);
});

test('a directory that may not be written takes no output', async () => {
  chmodSync(place, 0o555);
  expect(await startPack(image, [tree], user).outcome).toMatchObject({ code: 'permission' });
  chmodSync(place, 0o755);
  expect(namesIn(place)).toEqual([]);
});
