import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packTree } from '../../src/pack/pack-tree.ts';
import { expectWhole, isSame, namesIn, packError, readImage } from './image-files.ts';
import { outputScene } from './output-scene.ts';

const place = outputScene();
const at = (...names: string[]) => join(place, ...names);
const image = at('out', 'x.shoal');

describe('an output that exists', () => {
  test.each<[string, string, () => void]>([
    ['an index', 'x.shoal', () => writeFileSync(image, 'precious')],
    ['a volume', 'x.tar', () => writeFileSync(at('out', 'x.tar'), 'precious')],
    ['a directory', 'x.tar', () => mkdirSync(at('out', 'x.tar'))],
    ['a symbolic link to nothing', 'x.shoal', () => symlinkSync('nothing', image)],
  ])('as %s is told before the source is read, and stays untouched', async (_, name, make) => {
    make();
    const before = lstatSync(at('out', name), { bigint: true });
    const onProgress = () => expect.unreachable('the source is read');
    const refused = await packError([at('tree')], image, { onProgress });
    expect(refused).toMatchObject({
      code: 'exists',
      path: at('out', name),
      message: expect.stringContaining('--force'),
    });
    expect(lstatSync(at('out', name), { bigint: true })).toEqual(before);
    expect(namesIn(at('out'))).toEqual([name]);
  });

  test('gives way to --force', async () => {
    await packTree([at('tree')], image);
    const expected = readImage(image);
    writeFileSync(at('tree', 'file'), 'other content');
    await packTree([at('tree')], image, { force: true });
    await expectWhole(image);
    expect(isSame(readImage(image), expected)).toBe(false);
    expect(namesIn(at('out'))).toEqual(['x.shoal', 'x.tar']);
  });

  test('gives way to --force, also where it is no image', async () => {
    writeFileSync(image, 'no image');
    writeFileSync(at('out', 'x.tar'), 'no volume');
    await packTree([at('tree')], image, { force: true });
    await expectWhole(image);
  });

  test('as a symbolic link gives way itself, not the file that it leads to', async () => {
    writeFileSync(at('precious'), 'precious');
    symlinkSync('../precious', image);
    symlinkSync('../precious', at('out', 'x.tar'));
    await packTree([at('tree')], image, { force: true });
    await expectWhole(image);
    expect(lstatSync(image).isFile()).toBe(true);
    expect(readFileSync(at('precious'), 'utf8')).toBe('precious');
  });

  test.each(['x.shoal', 'x.tar'])('as a directory %s does not give way to --force', async (name) => {
    mkdirSync(at('out', name));
    writeFileSync(at('out', name, 'precious'), 'x');
    const refused = await packError([at('tree')], image, { force: true });
    expect(refused).toMatchObject({ code: 'exists', path: at('out', name) });
    expect(existsSync(at('out', name, 'precious'))).toBe(true);
    expect(namesIn(at('out'))).toEqual([name]);
  });

  test.each(['x.shoal', 'x.tar'])(
    'since the work began, %s, is not replaced without --force, and nothing is left',
    async (name) => {
      const onProgress = () => writeFileSync(at('out', name), 'precious');
      expect((await packError([at('tree')], image, { onProgress })).code).toBe('exists');
      expect(readFileSync(at('out', name), 'utf8')).toBe('precious');
      expect(namesIn(at('out'))).toEqual([name]);
    },
  );
});

describe('the directory of the output', () => {
  test.each(['nothing', 'file.tar', 'nothing/below'])('that is none, %s, is told before any work', async (name) => {
    expect((await packError([at('tree')], at(name, 'x.shoal'))).code).toBe('missing');
    expect(namesIn(place)).toEqual(['file.tar', 'out', 'tree']);
  });

  test('may be a symbolic link, which stays', async () => {
    symlinkSync('out', at('link'));
    await packTree([at('tree')], at('link', 'x.shoal'));
    expect(readlinkSync(at('link'))).toBe('out');
    await expectWhole(image);
  });
});

describe('the name of an output', () => {
  test.each(['x', 'x.tar', '.shoal', 'x.shoal/', 'x.SHOAL', ''])('is not %j', async (name) => {
    expect((await packError([at('tree')], name === '' ? '' : `${place}/out/${name}`)).code).toBe('usage');
    expect(namesIn(at('out'))).toEqual([]);
  });

  test.each(['x.y.shoal', '.hidden.shoal', '-x.shoal', 'ä\n.shoal', 'x.shoal.shoal'])('may be %j', async (name) => {
    await packTree([at('tree')], at('out', name));
    await expectWhole(at('out', name));
    expect(namesIn(at('out'))).toEqual([name, name.replace(/\.shoal$/, '.tar')].sort());
  });

  test('may be as long as a name can be with what the work needs', async () => {
    const name = `${'n'.repeat(255 - '.shoal.partial.01234567-1234567-0123456789.0'.length)}.shoal`;
    await packTree([at('tree')], at('out', name));
    await expectWhole(at('out', name));
  });
});
