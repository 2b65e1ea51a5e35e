import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { packTree } from '../../src/pack/pack-tree.ts';
import { changedAfter, changingTree, packWith } from './changing-tree.ts';
import { expectWhole, isSame, namesIn, readImage } from './image-files.ts';

const tree = changingTree();
beforeEach(tree.renew);
afterAll(tree.remove);

describe('a directory', () => {
  test.each(['.', 'sub', 'sub/below'])('%s that gets a name is named', async (name) => {
    const named = await changedAfter(tree, () => writeFileSync(join(tree.path, name, 'new'), ''));
    expect(named).toEqual([name === '.' ? '' : name]);
  });

  test('that gets other permissions is named', async () => {
    expect(await changedAfter(tree, () => chmodSync(join(tree.path, 'sub', 'below'), 0o700))).toEqual(['sub/below']);
  });

  test('that is renamed is named with all below it, as is the one that had it', async () => {
    const named = await changedAfter(tree, () =>
      renameSync(join(tree.path, 'sub', 'below'), join(tree.path, 'sub', 'elsewhere')),
    );
    expect(named).toEqual(['sub', 'sub/below', 'sub/below/file']);
  });

  test('that is replaced by a symbolic link to a copy is not followed', async () => {
    const named = await changedAfter(tree, () => {
      cpSync(join(tree.path, 'sub', 'below'), tree.aside, { recursive: true, preserveTimestamps: true });
      rmSync(join(tree.path, 'sub', 'below'), { recursive: true });
      symlinkSync(tree.aside, join(tree.path, 'sub', 'below'));
    });
    expect(named).toEqual(['sub', 'sub/below', 'sub/below/file']);
  });

  test('that is one of several sources is watched as well', async () => {
    const sources = [join(tree.path, 'sub'), join(tree.place, 'other')];
    mkdirSync(sources[1] as string);
    // The two sources have as many entries as the tree has: its root goes, the other comes.
    const outcome = packWith(tree, () => writeFileSync(join(tree.path, 'sub', 'new'), ''), {}, sources);
    await expect(outcome).rejects.toMatchObject({ code: 'changed', problems: [{ path: sources[0] }] });
  });
});

test('all that changed is told at once, in order, the first three in the message', async () => {
  const outcome = packWith(tree, () => {
    for (const name of ['small', 'large', 'sparse', 'empty', 'below/file'])
      appendFileSync(join(tree.path, 'sub', name), 'x');
  });
  await expect(outcome).rejects.toMatchObject({
    code: 'changed',
    problems: ['below/file', 'empty', 'large', 'small', 'sparse'].map((name) => ({
      path: join(tree.path, 'sub', name),
    })),
    message: expect.stringMatching(/5 changed .*below\/file .*empty .*large .*and 2 more/),
  });
});

test('whoever only reads files, or changes others, changes nothing', async () => {
  await packWith(tree, () => {
    readFileSync(join(tree.path, 'sub', 'small'));
    namesIn(join(tree.path, 'sub'));
    writeFileSync(tree.aside, 'new');
  });
  await expectWhole(tree.image);
});

test('an old image stays as it is where --force was given and the source changes', async () => {
  await packTree([join(tree.path, 'sub', 'below')], tree.image);
  const before = readImage(tree.image);
  const outcome = packWith(tree, () => appendFileSync(join(tree.path, 'sub', 'small'), 'x'), { force: true });
  await expect(outcome).rejects.toMatchObject({ code: 'changed' });
  expect(isSame(readImage(tree.image), before)).toBe(true);
  expect(namesIn(tree.place)).toEqual(['tree', 'x.shoal', 'x.tar']);
});
