import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { packTree } from '../../src/pack/pack-tree.ts';
import { namesIn, packError } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const place = join(scratch.path, 'place');
const image = join(place, 'x.shoal');

beforeEach(() => {
  rmSync(tree, { recursive: true, force: true });
  rmSync(place, { recursive: true, force: true });
  mkdirSync(tree);
  mkdirSync(place);
  writeFileSync(join(tree, 'file'), 'content');
});
afterAll(scratch.remove);

describe('something of others called x.shoal.partial', () => {
  const taken = join(place, 'x.shoal.partial');

  function directoryWith(path: string, name: string): void {
    mkdirSync(path);
    writeFileSync(join(path, name), 'precious');
  }

  test.each<[string, string, () => void]>([
    ['a directory of files', 'precious', () => directoryWith(taken, 'precious')],
    ['a directory of a volume', 'x.tar', () => directoryWith(taken, 'x.tar')],
    ['a file', '', () => writeFileSync(taken, 'precious')],
  ])('%s is told, and stays', async (_, inside, make) => {
    make();
    expect(await packError([tree], image)).toMatchObject({ code: 'exists', path: taken });
    expect(readFileSync(join(taken, inside), 'utf8')).toBe('precious');
    expect(namesIn(place)).toEqual(['x.shoal.partial']);
  });

  test.each(['x.tar', 'x.shoal', 'lease'])('a symbolic link is not followed to remove %s', async (name) => {
    directoryWith(join(place, 'y'), name);
    symlinkSync('y', taken);
    await packTree([tree], image).catch(() => undefined);
    expect(namesIn(join(place, 'y'))).toEqual([name]);
    expect(namesIn(place)).toContain('x.shoal.partial');
  });
});

test('a directory of others beside it, called as a run that was retired, stays', async () => {
  const taken = join(place, 'x.shoal.partial.0123abcd-17-1234');
  mkdirSync(taken);
  writeFileSync(join(taken, 'x.tar'), 'precious');
  await packTree([tree], image);
  expect(namesIn(taken)).toEqual(['x.tar']);
});
