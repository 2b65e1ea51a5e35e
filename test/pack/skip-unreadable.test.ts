import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { ShoalError } from '../../src/base/errors.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { runShoal } from '../support/run-shoal.ts';
import { changingTree, packWith } from './changing-tree.ts';
import { contentsOf, expectWhole, isSame, namesIn, readImage } from './image-files.ts';
import { directoryOf, openUp, plainUser } from './other-user.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const tree = changingTree();
beforeEach(tree.renew);
afterAll(() => {
  tree.remove();
  scratch.remove();
});

const small = join(tree.path, 'sub', 'small');
const large = join(tree.path, 'sub', 'large');
const paths = (problems: readonly { path: Buffer }[]) =>
  problems.map(({ path }) => path.toString().slice(tree.path.length + 1));

test('files that change while they are packed are left out, as if they were excluded', async () => {
  const { unreadable, entries } = await packWith(
    tree,
    () => [small, large].map((path) => writeFileSync(path, 'other')),
    {
      skipUnreadable: true,
    },
  );
  expect(paths(unreadable)).toEqual(['sub/large', 'sub/small']);
  for (const { code } of unreadable) expect(code).toBe('changed');
  expect(entries).toBe(6);
  expect(Object.keys(contentsOf(tree.image)).sort()).toEqual(['sub/below/file', 'sub/empty', 'sub/sparse']);
  await expectWhole(tree.image);
  const left = readImage(tree.image);
  await packTree([tree.path], tree.image, { force: true, exclude: ['small', 'large'] });
  expect(isSame(readImage(tree.image), left)).toBe(true);
});

test('of attributes that only such a file had, nothing stays', async () => {
  chmodSync(small, 0o4741);
  symlinkSync('nowhere', join(tree.path, 'sub', 'a-link'));
  await packWith(tree, () => writeFileSync(small, 'other'), { skipUnreadable: true });
  const left = readImage(tree.image);
  await packTree([tree.path], tree.image, { force: true, exclude: ['small'] });
  expect(isSame(readImage(tree.image), left)).toBe(true);
});

test('all names of such a file are left out, and told', async () => {
  linkSync(small, join(tree.path, 'sub', 'below', 'other-name'));
  const { unreadable } = await packWith(tree, () => writeFileSync(small, 'other'), { skipUnreadable: true });
  expect(paths(unreadable)).toEqual(['sub/below/other-name', 'sub/small']);
  expect(unreadable[0]?.message).toContain('sub/small');
  await expectWhole(tree.image);
});

test('a directory that loses a name is packed as it was, and told', async () => {
  const { unreadable } = await packWith(tree, () => rmSync(small), { skipUnreadable: true });
  expect(paths(unreadable)).toEqual(['sub', 'sub/small']);
  expect(Object.keys(contentsOf(tree.image))).toContain('sub/large');
  await expectWhole(tree.image);
});

test('a directory alone that changes costs nothing but its notice', async () => {
  const { unreadable, entries } = await packWith(tree, () => writeFileSync(join(tree.path, 'sub', 'new'), ''), {
    skipUnreadable: true,
  });
  expect(paths(unreadable)).toEqual(['sub']);
  expect(entries).toBe(8);
});

test('a source that is a file and changes leaves an image of the others', async () => {
  const { unreadable } = await packWith(tree, () => writeFileSync(small, 'other'), { skipUnreadable: true }, [
    small,
    large,
    join(tree.path, 'sub', 'below'),
    join(tree.path, 'sub', 'empty'),
    join(tree.path, 'sub', 'sparse'),
    join(tree.path, 'sub'),
  ]);
  expect(paths(unreadable)).toContain('sub/small');
  const found = Object.keys(contentsOf(tree.image));
  expect(found).toContain('large');
  expect(found).toContain('below/file');
  expect(found).toContain('sub/large');
  await expectWhole(tree.image);
});

test('a file that changes each time that it is read is given up with the run, not for ever', async () => {
  let writes = 0;
  const many = Array.from({ length: 40 }, (_, i) => join(tree.path, 'sub', 'below', `f${i}`));
  for (const path of many) writeFileSync(path, 'x');
  const onProgress = () => {
    const path = many[writes++];
    if (path !== undefined) writeFileSync(path, 'y');
  };
  const outcome = await packTree([tree.path], tree.image, { skipUnreadable: true, onProgress, jobs: 1 }).catch(
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(ShoalError);
  expect(outcome).toMatchObject({ code: 'changed' });
  expect(namesIn(tree.place)).toEqual(['tree']);
});

test('what a user may not read is left out by the command, listed, and the exit code is 4', (ctx) => {
  const user = plainUser(ctx);
  openUp(scratch.path);
  const place = join(scratch.path, 'place');
  directoryOf(user, place);
  const source = join(scratch.path, 'source');
  mkdirSync(join(source, 'closed'), { recursive: true });
  writeFileSync(join(source, 'closed', 'in'), '');
  for (const name of ['a', 'b', 'c']) writeFileSync(join(source, name), name, { mode: name === 'b' ? 0 : 0o644 });
  chmodSync(join(source, 'closed'), 0);
  const as = { cwd: place, ...(user !== undefined && { uid: user, gid: user }) };
  const ran = runShoal(['pack', '../source', '-o', 'x.shoal', '--skip-unreadable', '--json'], as);
  expect(ran.status).toBe(4);
  const told = JSON.parse(ran.stdout) as { unreadable: { path: string }[]; entries: number };
  expect(told.unreadable.map(({ path }) => path)).toEqual(['../source/b', '../source/closed']);
  expect(told.entries).toBe(3);
  expect(runShoal(['verify', 'x.shoal'], as).status).toBe(0);

  // A directory that is excluded is not entered, so it cannot be in the way.
  const around = ['pack', '../source', '-o', 'z.shoal', '--exclude', 'closed', '--exclude', '/b', '--json'];
  expect(runShoal(around, as)).toMatchObject({ status: 0, stdout: expect.stringContaining('"excluded":2') });

  const preview = runShoal(['pack', '../source', '--dry-run', '--json'], as);
  expect(preview.status).toBe(0);
  expect((JSON.parse(preview.stdout) as typeof told).unreadable.map(({ path }) => path)).toEqual([
    '../source/b',
    '../source/closed',
  ]);
  const closed = runShoal(['pack', '../source/closed', '-o', 'y.shoal', '--skip-unreadable'], as);
  expect(closed).toMatchObject({ status: 1, stderr: expect.stringContaining('expected a source that can be read') });
  chmodSync(join(source, 'closed'), 0o755);
});
