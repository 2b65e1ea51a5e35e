import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openIndex } from '../../src/image/open-image.ts';
import { verifyImage } from '../../src/image/verify.ts';
import { indexArchive } from '../../src/indexers/index-archive.ts';
import { mergeImages } from '../../src/pack/merge-images.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { runShoal } from '../support/run-shoal.ts';
import { makeTortureTree } from '../torture-tree.ts';
import { contentsOf, expectWhole, packError, readImage, volumeOf } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const at = (name: string) => join(scratch.path, name);
afterAll(scratch.remove);

beforeAll(() => {
  for (let i = 0; i < 20; i++) {
    mkdirSync(join(tree, `d${i}`, 'below'), { recursive: true });
    for (let j = 0; j < 20; j++) writeFileSync(join(tree, `d${i}`, 'below', `f${j}`), `${i} ${j}`.repeat(i * j));
    symlinkSync(`below/f${i}`, join(tree, `d${i}`, 'link'));
    linkSync(join(tree, `d${i}`, 'below', 'f3'), join(tree, `d${i}`, 'a-name-that-sorts-first'));
    linkSync(join(tree, `d${i}`, 'below', 'f3'), join(tree, `name-${i}`));
  }
  for (let i = 0; i < 8; i++) {
    writeFileSync(join(tree, `sparse${i}`), 'data');
    truncateSync(join(tree, `sparse${i}`), 500_000);
    writeFileSync(join(tree, `large${i}`), Buffer.alloc(300_000, `large ${i}`));
    chmodSync(join(tree, `large${i}`), 0o600 + i);
  }
  mkdirSync(join(tree, 'empty'));
  utimesSync(join(tree, 'empty'), 12345, 12345.678);
});

async function packParts(count: number, name: string, source = tree): Promise<string[]> {
  const images = Array.from({ length: count }, (_, i) => at(`${name}-${i + 1}.shoal`));
  for (const [i, image] of images.entries()) {
    await packTree([source], image, { part: { number: i + 1, count }, jobs: 1 + (i % 3) });
    await expectWhole(image);
  }
  return images;
}

/** All that an index says of its entries, but for where their content lies. */
function entriesOf(image: string): object[] {
  const index = openIndex(image);
  try {
    return Array.from({ length: index.entryCount }, (_, number) => {
      const { offset, volume, checksum, xattrs, ...entry } = index.get(number);
      const isLink = entry.kind === 'symlink' && !entry.alias;
      const extents = entry.kind === 'file' ? index.extents(index.get(number)) : [];
      const stored = extents.reduce((sum, { length }) => sum + length, 0);
      const chunks = stored > 131_072 ? index.chunkChecksum(checksum) : checksum;
      return {
        path: index.entryPath(number).toString('latin1'),
        ...entry,
        chunks,
        ranges: extents.map(({ fileOffset, length }) => [fileOffset, length]),
        target: isLink ? index.linkTarget(index.get(number)).toString('latin1') : entry.target,
        xattrs: entry.alias ? [] : index.xattrs(index.get(number)),
      };
    });
  } finally {
    index.close();
  }
}

describe('the parts of a tree', () => {
  test.each([1, 2, 7])('%d of them, merged, are the tree packed as a whole', async (count) => {
    await packTree([tree], at('whole.shoal'), { force: true });
    const images = await packParts(count, `of-${count}`);
    const merged = await mergeImages(images, at(`merged-${count}.shoal`));
    expect(entriesOf(merged.image.toString())).toEqual(entriesOf(at('whole.shoal')));
    const compared = await verifyImage(merged.image, { against: tree });
    expect(compared).toMatchObject({ problems: [], differences: [], uncheckedBytes: 0, unframedVolumes: 0 });
    const whole = openIndex(at('whole.shoal'));
    if (count === 1) expect(merged.id).toBe(whole.id.toString('hex'));
    whole.close();
  });

  test('have each file in exactly one, all names of a file together, and about as many each', async () => {
    const images = await packParts(4, 'four');
    const found = images.map((image) => Object.keys(contentsOf(image)));
    expect(new Set(found.flat()).size).toBe(found.flat().length);
    expect(found.flat().sort()).toEqual(Object.keys(contentsOf(at('whole.shoal'))).sort());
    for (const paths of found) {
      expect(paths.length).toBeGreaterThan(70);
      for (let i = 0; i < 20; i++) {
        const names = [`d${i}/below/f3`, `d${i}/a-name-that-sorts-first`, `name-${i}`];
        expect([0, 3]).toContain(names.filter((name) => paths.includes(name)).length);
      }
    }
  });

  test('are images like others: the index of each can be made anew from its volume', async () => {
    for (const image of await packParts(3, 'three')) {
      const { index } = readImage(image);
      rmSync(image);
      await indexArchive(volumeOf(image));
      expect(readImage(image).index.equals(index)).toBe(true);
    }
  });

  test('do not change because other files come or go between the runs', async () => {
    const source = at('changing');
    mkdirSync(source);
    for (let i = 0; i < 50; i++) writeFileSync(join(source, `f${i}`), `${i}`);
    const [before] = await packParts(2, 'before', source);
    for (let i = 0; i < 50; i++) writeFileSync(join(source, `another${i}`), `${i}`);
    const [after] = await packParts(2, 'after', source);
    const kept = Object.keys(contentsOf(after as string)).filter((path) => !path.startsWith('another'));
    expect(kept.sort()).toEqual(Object.keys(contentsOf(before as string)).sort());
  });

  test('may be of several sources, some of them files', async () => {
    const sources = [join(tree, 'd1'), ...Array.from({ length: 8 }, (_, i) => join(tree, `large${i}`))];
    await packTree(sources, at('sources.shoal'));
    const images = [1, 2, 3].map((number) => at(`sources-${number}.shoal`));
    for (const [i, image] of images.entries()) await packTree(sources, image, { part: { number: i + 1, count: 3 } });
    await mergeImages(images, at('sources-merged.shoal'));
    expect(entriesOf(at('sources-merged.shoal'))).toEqual(entriesOf(at('sources.shoal')));
  });

  test('hold any tree together, whatever is in it', async () => {
    const torture = at('torture');
    makeTortureTree(torture);
    const images = await packParts(3, 'torture', torture);
    await mergeImages(images, at('torture-merged.shoal'));
    const { problems, differences } = await verifyImage(at('torture-merged.shoal'), { against: torture });
    expect({ problems, differences }).toEqual({ problems: [], differences: [] });
  });
});

test.each([
  [0, 4],
  [5, 4],
  [1, 2000],
  [1.5, 4],
  [Number.NaN, 4],
])('part %d of %d is none', async (number, count) => {
  expect((await packError([tree], at('none.shoal'), { part: { number, count } })).code).toBe('usage');
});

test('the command takes I/N', () => {
  for (const text of ['0/4', '5/4', '2', 'a/b', '1/0', '-1/2', '1/2/3']) {
    const { status, stderr } = runShoal(['pack', tree, '-o', at('none.shoal'), '--part', text]);
    expect(status).toBe(2);
    expect(stderr).toContain('--part');
  }
  expect(runShoal(['pack', tree, '-o', at('command.shoal'), '--part', '2/4'])).toMatchObject({ status: 0, stderr: '' });
  expect(readImage(at('command.shoal')).index.length).toBe(readImage(at('four-2.shoal')).index.length);
});
