import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { ShoalError } from '../../src/base/errors.ts';
import { crc32c } from '../../src/format/crc32c.ts';
import { openImage, openIndex } from '../../src/image/open-image.ts';
import { verifyImage } from '../../src/image/verify.ts';
import { indexArchive } from '../../src/indexers/index-archive.ts';
import { loadAddon } from '../../src/native/load.ts';
import { runJob } from '../../src/native/run-job.ts';
import { type MergeOptions, mergeImages } from '../../src/pack/merge-images.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { damagedFiles } from '../fixtures/damage.ts';
import { ImageEditor } from '../fixtures/image-editor.ts';
import { buildImage, type Node } from '../support/build-image.ts';
import { indexBytes } from '../support/index-bytes.ts';
import { columnsOf, directory as modelDirectory, file as modelFile } from '../support/model-tree.ts';
import { documents, runShoal } from '../support/run-shoal.ts';
import { contentsOf, expectWhole, namesIn } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const place = join(scratch.path, 'place');
const at = (...names: string[]) => join(place, ...names);
afterAll(scratch.remove);
beforeEach(() => {
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place);
});

/** Writes a tree: text is a file's content, null a directory. */
function tree(name: string, entries: Readonly<Record<string, string | null>>): string {
  mkdirSync(at(name), { recursive: true });
  for (const [path, content] of Object.entries(entries)) {
    mkdirSync(dirname(at(name, path)), { recursive: true });
    if (content === null) mkdirSync(at(name, path), { recursive: true });
    else writeFileSync(at(name, path), content);
  }
  return at(name);
}

/** Packs a tree of its own as `NAME.shoal`. */
async function pack(name: string, entries: Readonly<Record<string, string | null>>): Promise<string> {
  const source = tree(`${name}-source`, entries);
  mkdirSync(dirname(at(name)), { recursive: true });
  await packTree([source], at(`${name}.shoal`));
  return at(`${name}.shoal`);
}

async function mergeError(parts: readonly string[], output: string, options: MergeOptions = {}): Promise<ShoalError> {
  const outcome = await mergeImages(parts, output, options).catch((error: unknown) => error);
  if (outcome instanceof ShoalError) return outcome;
  throw new Error('expected merging to fail', { cause: outcome });
}

function volumeNames(index: string): string[] {
  const opened = openIndex(index);
  try {
    return opened.volumes().map(({ name }) => name.toString());
  } finally {
    opened.close();
  }
}

const file = (content: string): Node => ({ kind: 'file', content: Buffer.from(content) });
const directory = (children: Record<string, Node>): Node => ({ kind: 'directory', mode: 0o755, children });

describe('files added later', () => {
  test('base and delta merged are what copying the new tree over the old one gives, with every kind of entry', async () => {
    const base = tree('base', {
      'a/old': 'old',
      'a/kept': 'kept',
      'both/1': '1',
      'kind/file': 'x',
      large: 'L'.repeat(400_000),
    });
    const delta = tree('delta', {
      'a/old': 'new',
      'both/2': '2',
      'kind/file/now/a': 'directory',
      large: 'M'.repeat(900_000),
    });
    linkSync(join(base, 'a/kept'), join(base, 'linked'));
    linkSync(join(delta, 'both/2'), join(delta, 'both/2-again'));
    symlinkSync('a/kept', join(delta, 'link'));
    execFileSync('mkfifo', [join(delta, 'fifo')]);
    writeFileSync(join(delta, 'sparse'), 'end');
    truncateSync(join(delta, 'sparse'), 3_000_000);
    execFileSync('setfattr', ['-n', 'user.note', '-v', 'of the base', join(base, 'a/kept')]);
    execFileSync('setfattr', ['-n', 'user.note', '-v', 'of the delta', join(delta, 'both/2')]);
    for (const root of [base, delta]) utimesSync(root, 1e9, 1e9);
    await packTree([base], at('base.shoal'));
    await packTree([delta], at('delta.shoal'));

    const before = namesIn(place);
    await mergeImages([at('base.shoal'), at('delta.shoal')], at('all.shoal'));
    expect(namesIn(place)).toEqual([...before, 'all.shoal'].sort());
    const union = at('union');
    execFileSync('cp', ['-a', base, union]);
    rmSync(join(union, 'kind/file'));
    execFileSync('cp', ['-a', `${delta}/.`, union]);
    const compared = await verifyImage(at('all.shoal'), { against: union });
    expect(compared).toMatchObject({ problems: [], uncheckedBytes: 0, unframedVolumes: 0 });
    // Link counts stay as they were packed: a directory that two images have has that of the later one.
    const linkCounts = compared.differences.filter(({ message }) => !/links/.test(message));
    expect(linkCounts).toEqual([]);
  });

  test('an image of no file takes names away from nobody', async () => {
    const base = await pack('base', { 'a/b': 'content' });
    const empty = await pack('empty', { a: null });
    await mergeImages([base, empty], at('all.shoal'));
    expect(contentsOf(at('all.shoal'))).toEqual({ 'a/b': 'content' });
    expect(volumeNames(at('all.shoal'))).toEqual(['base.tar']);
  });

  test('a foreign tar is a part like another, without checksums', async () => {
    tree('tarred', { 'a/x': 'of the tar', only: 'here' });
    execFileSync('tar', ['-cf', at('foreign.tar'), '-C', at('tarred'), '.']);
    const { image } = await indexArchive(at('foreign.tar'));
    const base = await pack('base', { 'a/x': 'of the image', 'a/y': 'y'.repeat(200_000) });
    await mergeImages([image, base], at('all.shoal'));
    expect(contentsOf(at('all.shoal'))).toEqual({ 'a/x': 'of the image', 'a/y': 'y'.repeat(200_000), only: 'here' });
    const { uncheckedBytes, unframedVolumes, problems } = await verifyImage(at('all.shoal'));
    expect({ uncheckedBytes, unframedVolumes, problems }).toEqual({
      uncheckedBytes: 4,
      unframedVolumes: 1,
      problems: [],
    });
  });
});

describe('the names of volumes', () => {
  test('lead from the new index to each volume, wherever both lie', async () => {
    const one = await pack('here/one', { one: '1' });
    const two = await pack('there/below/two', { two: '2' });
    for (const [output, names] of [
      ['all.shoal', ['here/one.tar', 'there/below/two.tar']],
      ['here/all.shoal', ['one.tar', '../there/below/two.tar']],
      ['there/below/all.shoal', ['../../here/one.tar', 'two.tar']],
    ] as const) {
      await mergeImages([one, two], at(output));
      expect(volumeNames(at(output))).toEqual(names);
      await expectWhole(at(output));
    }
  });

  test('lead through symbolic links to where volumes are', async () => {
    const one = await pack('here/one', { one: '1' });
    mkdirSync(at('deep/er'), { recursive: true });
    symlinkSync('deep/er', at('way'));
    symlinkSync('here', at('also-here'));
    await mergeImages([at('also-here/one.shoal')], at('way/all.shoal'));
    expect(volumeNames(at('way/all.shoal'))).toEqual(['../../here/one.tar']);
    await expectWhole(at('way/all.shoal'));
    await expectWhole(at('deep/er/all.shoal'));
    await mergeImages([one], at('also-here/all.shoal'));
    expect(volumeNames(at('here/all.shoal'))).toEqual(['one.tar']);
  });

  test('stay absolute where they are', async () => {
    tree('tarred', { x: 'x' });
    mkdirSync(at('archive'));
    execFileSync('tar', ['-cf', at('archive/x.tar'), '-C', at('tarred'), '.']);
    await indexArchive(at('archive/x.tar'), { output: at('x.shoal') });
    await mergeImages([at('x.shoal')], at('archive/all.shoal'));
    expect(volumeNames(at('archive/all.shoal'))).toEqual([at('archive/x.tar')]);
  });

  test('stand in the order of the images, each once, without those that nothing is left of', async () => {
    const [a, b, c] = [await pack('a', { 'd/z': 'a' }), await pack('b', { x: 'b' }), await pack('c', { 'd/a': 'c' })];
    await mergeImages([c, b, a], at('cba.shoal'));
    expect(volumeNames(at('cba.shoal'))).toEqual(['c.tar', 'b.tar', 'a.tar']);
    await mergeImages([at('cba.shoal'), a, c], at('again.shoal'), { remove: ['x'] });
    expect(volumeNames(at('again.shoal'))).toEqual(['c.tar', 'a.tar']);
    expect(contentsOf(at('again.shoal'))).toEqual({ 'd/a': 'c', 'd/z': 'a' });
    await expectWhole(at('again.shoal'));
  });

  test('tell two indexes of one volume apart that describe it differently', async () => {
    const packed = await pack('a', { x: 'x', 'y/z': 'z' });
    // The same tar as any other: without checksums.
    const { index } = buildImage(place, 'b', directory({}), { volumeName: 'a.tar' });
    const editor = new ImageEditor(readFileSync(index));
    const described = openIndex(packed);
    const { length, headChecksum, tailChecksum } = described.volumes()[0] as never as Record<string, number>;
    const { offset } = described.resolvePath(Buffer.from('x')) as { offset: number };
    described.close();
    const node = file('x');
    const plain = buildImage(place, 'b', directory({ w: node }), { volumeName: 'a.tar', checksums: false });
    editor.bytes = readFileSync(plain.index);
    editor.set64(editor.at('volumes'), BigInt(length as number));
    editor.set32(editor.at('volumes', 16), headChecksum as number);
    editor.set32(editor.at('volumes', 20), tailChecksum as number);
    editor.setPlace(plain.numbers.get(node) as number, offset);
    await packTree([at('a-source')], packed, { force: true }); // buildImage has written over the volume
    writeFileSync(plain.index, editor.seal().bytes);
    await mergeImages([packed, plain.index], at('all.shoal'));
    expect(volumeNames(at('all.shoal'))).toEqual(['a.tar', 'a.tar']);
    expect(contentsOf(at('all.shoal'))).toEqual({ w: 'x', x: 'x', 'y/z': 'z' });
  });
});

describe('--remove', () => {
  test('leaves out files, and directories with all below them', async () => {
    const base = await pack('base', { 'a/1': '1', 'a/2': '2', 'b/c/3': '3', 'b/4': '4' });
    const delta = await pack('delta', { 'a/2': 'two', 'b/c/5': '5' });
    await mergeImages([base, delta], at('all.shoal'), { remove: ['a/2', './b//c/', 'b/c/5'] });
    expect(contentsOf(at('all.shoal'))).toEqual({ 'a/1': '1', 'b/4': '4' });
  });

  test('leaves the other names of a file what they were', async () => {
    const source = tree('linked', { 'a/first': 'content', other: 'o' });
    for (const name of ['b-second', 'z-third']) linkSync(join(source, 'a/first'), join(source, name));
    await packTree([source], at('linked.shoal'));
    const delta = await pack('delta', { 'b-second': 'replaced' });
    await mergeImages([at('linked.shoal'), delta], at('all.shoal'), { remove: ['a'] });
    expect(contentsOf(at('all.shoal'))).toEqual({ 'b-second': 'replaced', other: 'o', 'z-third': 'content' });
    await mergeImages([at('linked.shoal')], at('less.shoal'), { remove: ['a/first'] });
    const less = openIndex(at('less.shoal'));
    const [second, third] = ['b-second', 'z-third'].map((name) => less.resolvePath(Buffer.from(name)));
    expect(second).toMatchObject({ alias: false, nlink: 3 });
    expect(third).toMatchObject({ alias: true, target: second?.number });
    less.close();
  });

  test('names all paths that are not there, and makes nothing', async () => {
    const base = await pack('base', { 'a/b': 'x', file: 'f' });
    const before = namesIn(place);
    const refused = await mergeError([base], at('all.shoal'), { remove: ['a/c', 'a', 'b/c', 'file/below', 'no/way'] });
    expect(refused.code).toBe('missing');
    expect(refused.problems.map(({ path }) => path)).toEqual(['b/c', 'file/below', 'no/way']);
    expect(namesIn(place)).toEqual(before);
  });

  test.each(['', '/', '.', '../a', 'a/../b', 'a\0b'])('does not take %j', async (path) => {
    const base = await pack('base', { a: 'x' });
    expect((await mergeError([base], at('all.shoal'), { remove: [path] })).code).toBe('usage');
  });
});

describe('free metadata', () => {
  test('is what all images say alike, and what is given', async () => {
    for (const [name, metadata] of Object.entries({
      a: { same: '1', other: 'a', lost: 'x' },
      b: { same: '1', other: 'b' },
    })) {
      await packTree([tree(name, {})], at(`${name}.shoal`), { metadata, provenance: true });
    }
    const metadata = { given: 'now' };
    await mergeImages([at('a.shoal'), at('b.shoal')], at('all.shoal'), { metadata });
    const index = openIndex(at('all.shoal'));
    expect(Object.keys(index.metadata())).toEqual(['given', 'same', 'shoal.version']);
    index.close();
    expect((await mergeError([at('a.shoal')], at('x.shoal'), { metadata: { 'shoal.x': '' } })).code).toBe('usage');
  });
});

describe('what is refused', () => {
  test.each(['base.shoal', 'hard.shoal'])('an output that is a part, as %s, even by force', async (name) => {
    const base = await pack('base', { a: 'x' });
    linkSync(base, at('hard.shoal'));
    const before = readFileSync(base);
    const refused = await mergeError([base], at(name), { force: true });
    expect(refused).toMatchObject({ code: 'usage', message: expect.stringContaining('no source') });
    expect(readFileSync(base).equals(before)).toBe(true);
  });

  test('an output that is a volume', async () => {
    tree('tarred', { x: 'x' });
    execFileSync('tar', ['-cf', at('tar.shoal'), '-C', at('tarred'), '.']);
    await indexArchive(at('tar.shoal'), { output: at('index.shoal') });
    expect(await mergeError([at('index.shoal')], at('tar.shoal'), { force: true })).toMatchObject({ code: 'usage' });
  });

  test('an output that exists, unless by force; its own volume then stays', async () => {
    const base = await pack('base', { a: 'x' });
    const all = await pack('all', { b: 'y' });
    expect(await mergeError([base], all)).toMatchObject({ code: 'exists', path: all });
    await mergeImages([base], all, { force: true });
    expect(contentsOf(all)).toEqual({ a: 'x' });
    expect(namesIn(place)).toContain('all.tar');
  });

  test.each<[string, string, () => void]>([
    ['a volume that is not there', 'missing', () => rmSync(at('base.tar'))],
    ['a volume that was cut', 'truncated', () => truncateSync(at('base.tar'), 512)],
    ['another volume', 'wrong-volume', () => copyFileSync(at('other.tar'), at('base.tar'))],
    ['no index', 'not-image', () => writeFileSync(at('base.shoal'), 'text')],
    ['no file', 'missing', () => rmSync(at('base.shoal'))],
  ])('%s', async (_, code, change) => {
    const parts = [await pack('other', { a: 'longer'.repeat(9) }), await pack('base', { a: 'x' })];
    change();
    const before = namesIn(place);
    expect((await mergeError(parts, at('all.shoal'))).code).toBe(code);
    expect(namesIn(place)).toEqual(before);
  });

  test.each(['all', 'all.tar', '.shoal', 'nowhere/all.shoal'])('the output %j', async (output) => {
    const base = await pack('base', { a: 'x' });
    expect((await mergeError([base], at(output))).code).toBe(output.startsWith('nowhere') ? 'missing' : 'usage');
    expect((await mergeError([], at('all.shoal'))).code).toBe('usage');
  });

  test('names that are out of order, and directories that share children', async () => {
    const [a, b] = [directory({ x: file('1') }), directory({ y: file('2') })];
    const built = buildImage(place, 'odd', directory({ a, b }));
    const original = readFileSync(built.index);
    const edit = (change: (editor: ImageEditor) => unknown) => {
      const editor = new ImageEditor(original);
      change(editor);
      writeFileSync(built.index, editor.seal().bytes);
    };
    edit((editor) => editor.setName(built.numbers.get(a) as number, 'c'));
    expect(await mergeError([built.index], at('all.shoal'))).toMatchObject({ code: 'malformed', path: built.index });
    // The root's children become those of its first directory, too: a tree without end, if one follows it.
    edit((editor) =>
      editor.setWord(built.numbers.get(b) as number, 2, 3).setWord(built.numbers.get(b) as number, 3, 2),
    );
    expect(await mergeError([built.index], at('all.shoal'))).toMatchObject({ code: 'malformed', path: built.index });
    expect(readdirSync(place).filter((name) => !name.startsWith('odd'))).toEqual([]);
  });

  test('damaged images, each with an error of its own or with an index that is whole', async () => {
    const files = damagedFiles();
    const indexes = [...files.keys()].filter((name) => name.endsWith('.shoal'));
    for (const [name, bytes] of files) writeFileSync(at(name), bytes);
    expect(indexes.length).toBeGreaterThan(100);
    let refused = 0;
    for (const name of indexes) {
      const outcome = await mergeImages([at(name)], at('merged.shoal'), { force: true }).catch(
        (error: unknown) => error,
      );
      if (!(outcome instanceof ShoalError)) continue;
      expect(['internal', 'io'], `${name}: ${outcome.message}`).not.toContain(outcome.code);
      refused++;
    }
    expect(refused).toBeGreaterThan(60);
  });
});

test('more volumes than an image can count are too many', async () => {
  writeFileSync(at('volume'), 'vol.');
  const probe = crc32c(Buffer.from('vol.'));
  const write = (name: string, count: number) => {
    const files = Array.from({ length: count }, (_, i) => modelFile(`${name}${i}`.padStart(6, '0'), 4, 0));
    // Each in a volume of its own: all are the same file, but descriptions that differ are taken for different volumes.
    const volumes = files.map((_, i) => ({
      ...{ name: Buffer.from('volume'), length: 4, codec: 0, flags: 0, headChecksum: probe, tailChecksum: probe },
      sha256: createHash('sha256').update(`${name}${i}`).digest(),
    }));
    const columns = { ...columnsOf(modelDirectory('', files)), volumes: Uint16Array.from([0, ...volumes.keys()]) };
    writeFileSync(at(`${name}.shoal`), indexBytes(columns, volumes));
    return at(`${name}.shoal`);
  };
  const parts = [
    { index: Buffer.from(write('a', 32_767)), volumes: Uint32Array.from({ length: 32_767 }, (_, i) => i) },
    { index: Buffer.from(write('b', 32_768)), volumes: Uint32Array.from({ length: 32_768 }, (_, i) => 32_767 + i) },
  ];
  const merge = (...removed: string[]) =>
    runJob((counters) =>
      loadAddon().mergeImages(
        parts,
        removed.map((path) => Buffer.from(path)),
        false,
        counters,
      ),
    );
  await expect(merge()).rejects.toMatchObject({ code: 'unsupported', message: expect.stringContaining('65534') });
  const { volumes } = await merge('00b123');
  expect([...volumes]).toEqual(Array.from({ length: 65_535 }, (_, i) => i).filter((i) => i !== 32_767 + 123));
});

test('the command tells what it made', async () => {
  const parts = [await pack('a', { a: '1' }), await pack('b', { b: '22', c: '' })];
  const shown = runShoal(['merge', ...parts, '-o', at('all.shoal')]);
  expect(shown).toMatchObject({ status: 0, stderr: '' });
  expect(shown.stdout).toMatch(/all\.shoal: 4 entries, 3 bytes of content in 2 volumes of 2 images; /);
  const again = runShoal([
    'merge',
    ...parts,
    '-o',
    at('all.shoal'),
    '--force',
    '--remove',
    'a',
    '--remove',
    'c',
    '--json',
  ]);
  expect(documents(again.stdout)).toMatchObject([{ image: at('all.shoal'), entries: 2, bytes: 2, volumes: 1 }]);
  expect(runShoal(['merge', ...parts])).toMatchObject({ status: 2 });
  expect(runShoal(['merge', ...parts, '-o', at('all.shoal')])).toMatchObject({ status: 2 });
  const missing = runShoal(['merge', at('a.tar'), '-o', at('x.shoal')]);
  expect(missing).toMatchObject({ status: 3, stderr: expect.stringContaining('its index is') });
  openImage(at('all.shoal')).close();
});

test('images with compressed volumes and others are merged, and read', async () => {
  for (const directory of ['small', 'large', 'whole']) mkdirSync(at(directory));
  writeFileSync(at('small', 's'), 'small');
  writeFileSync(at('large', 'l'), Buffer.alloc(3_000_000, 'large'));
  await packTree([at('small')], at('s.shoal'));
  await packTree([at('large')], at('l.shoal'), { compress: 'zstd' });
  for (const name of ['small/s', 'large/l']) execFileSync('cp', ['-p', at(name), at('whole')]);
  for (const name of ['whole', 'large']) utimesSync(at(name), 1e9, 1e9);
  await packTree([at('large')], at('last.shoal'), { compress: 'zstd:1' });
  await mergeImages(
    ['s', 'l', 'last'].map((name) => at(`${name}.shoal`)),
    at('m.shoal'),
  );
  const { problems, differences } = await verifyImage(at('m.shoal'), { against: at('whole') });
  expect({ problems, differences }).toEqual({ problems: [], differences: [] });
});
