import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { packTree } from '../../src/pack/pack-tree.ts';
import { expectWhole, namesIn, packError } from './image-files.ts';
import { outputScene } from './output-scene.ts';

const place = outputScene();
const at = (...names: string[]) => join(place, ...names);

describe('an output in its own source', () => {
  beforeEach(() => {
    symlinkSync('tree/sub', at('way-in'));
    symlinkSync('tree', at('another-name'));
    symlinkSync('../out', at('tree', 'way-out'));
  });

  test.each([
    ['beside its files', 'tree', 'tree/x.shoal'],
    ['at any depth', 'tree', 'tree/sub/below/x.shoal'],
    ['through a symbolic link', 'tree', 'way-in/x.shoal'],
    ['through a symbolic link and back', 'tree', 'way-in/../x.shoal'],
    ['where the source is named by a symbolic link', 'another-name', 'tree/sub/x.shoal'],
    ['where both are', 'another-name', 'way-in/below/x.shoal'],
  ])('%s is told before any work', async (_, source, output) => {
    expect(await packError([at(source)], `${place}/${output}`)).toMatchObject({
      code: 'usage',
      message: expect.stringContaining(at(source)),
    });
    for (const name of ['tree', 'tree/sub', 'tree/sub/below']) {
      expect(namesIn(at(name)).filter((found) => found.startsWith('x.'))).toEqual([]);
    }
  });

  test('counts for each of several sources', async () => {
    mkdirSync(at('other'));
    expect((await packError([at('other'), at('tree')], at('tree', 'sub', 'x.shoal'))).code).toBe('usage');
  });

  test('is none where a symbolic link leads out of the source', async () => {
    await packTree([at('tree')], at('tree', 'way-out', 'x.shoal'));
    expect(namesIn(at('out'))).toEqual(['x.shoal', 'x.tar']);
  });

  test('is none beside a source that is a file', async () => {
    await packTree([at('tree', 'file')], at('tree', 'x.shoal'));
    await expectWhole(at('tree', 'x.shoal'));
  });

  test('is not the source itself, whatever was asked for', async () => {
    const refused = await packError([at('file.tar')], at('file.shoal'), { force: true });
    expect(refused).toMatchObject({ code: 'usage', path: at('file.tar') });
    expect(readFileSync(at('file.tar'), 'utf8')).toBe('content');
  });
});
