import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packTree } from '../../src/pack/pack-tree.ts';
import { previewPack } from '../../src/pack/preview-pack.ts';
import { runShoal } from '../support/run-shoal.ts';
import { makeTortureTree } from '../torture-tree.ts';
import { namesIn, volumeOf } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
afterAll(scratch.remove);
const at = (...names: string[]) => join(scratch.path, ...names);

test('the preview of a tree of everything is what packing then makes, to the byte', async () => {
  makeTortureTree(at('torture'));
  const preview = await previewPack([at('torture')], { output: at('x.shoal'), metadata: { key: 'value' } });
  const packed = await packTree([at('torture')], at('x.shoal'), { metadata: { key: 'value' } });
  expect(preview).toMatchObject({
    entries: packed.entries,
    bytes: packed.bytes,
    inodes: packed.inodes,
    indexLength: statSync(at('x.shoal')).size,
    volumeLength: statSync(volumeOf(at('x.shoal'))).size,
    skipped: packed.skipped,
    unreadable: [],
  });
  const kinds = Object.values(preview.kinds).reduce((sum, count) => sum + count, 0);
  expect(kinds).toBe(preview.entries);
});

test('inodes are those that removing the tree frees: names elsewhere keep a file alive', async () => {
  mkdirSync(at('few', 'sub'), { recursive: true });
  for (const name of ['one', 'two', 'three']) writeFileSync(at('few', name), name);
  linkSync(at('few', 'one'), at('few', 'sub', 'another'));
  linkSync(at('few', 'two'), at('elsewhere'));
  execFileSync('mkfifo', [at('few', 'fifo')]);
  const { inodes, kinds } = await previewPack([at('few')]);
  expect(kinds).toEqual({ files: 3, directories: 2, symbolicLinks: 0, devices: 0, fifos: 1, aliases: 1 });
  expect(inodes).toBe(5);
  expect(await previewPack([at('few', 'sub'), at('few', 'two')])).toMatchObject({ entries: 4, inodes: 1 });
});

test('nothing is written, not even where the image was to lie', () => {
  mkdirSync(at('tree', 'sub'), { recursive: true });
  mkdirSync(at('out'));
  writeFileSync(at('tree', 'sub', 'a.tmp'), 'x');
  const before = statSync(at('out'), { bigint: true }).mtimeNs;
  const ran = runShoal(['pack', 'tree', '-o', 'out/x.shoal', '--dry-run', '--exclude', '*.tmp'], { cwd: scratch.path });
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  expect(ran.stdout).toMatch(
    /^2 entries: 0 files, 2 directories\n0 bytes of content in a volume of .*\n2 inodes in 2 files: removing the source frees 0\n1 name excluded\n$/,
  );
  expect(namesIn(at('out'))).toEqual([]);
  expect(statSync(at('out'), { bigint: true }).mtimeNs).toBe(before);
  expect(namesIn(scratch.path)).not.toContain('image.shoal');
});

test('mistakes are those of packing', async () => {
  mkdirSync(at('source'), { recursive: true });
  writeFileSync(at('taken.shoal'), '');
  await expect(previewPack([at('source')], { output: at('taken.shoal') })).rejects.toMatchObject({ code: 'exists' });
  await expect(previewPack([at('source')], { output: at('source', 'x.shoal') })).rejects.toMatchObject({
    code: 'usage',
  });
  await expect(previewPack([at('none')])).rejects.toMatchObject({ code: 'missing' });
  await expect(previewPack([])).rejects.toMatchObject({ code: 'usage' });
  rmSync(at('taken.shoal'));
  const ran = runShoal(['pack', at('source')]);
  expect(ran).toMatchObject({ status: 2, stderr: expect.stringContaining('-o, --output') });
});
