import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mountImage } from '../../src/mount/mount-image.ts';
import { loadAddon } from '../../src/native/load.ts';
import { ImageEditor } from '../fixtures/image-editor.ts';
import { arbitraryLayers } from '../support/arbitrary-layers.ts';
import { type BuiltImage, buildImage, type Node } from '../support/build-image.ts';
import { overlay, type Shown } from '../support/overlay-model.ts';
import { runShoal } from '../support/run-shoal.ts';
import { run, scene } from './scene.ts';

const file = (content: string): Node => ({ kind: 'file', content: Buffer.from(content) });
const directory = (children: Record<string, Node>): Node => ({ kind: 'directory', mode: 0o755, nlink: 2, children });
const typeBits = { directory: 0o40000, file: 0o100000, link: 0o120000, fifo: 0o10000 };

function build(root: string, layers: readonly Node[]): BuiltImage[] {
  return layers.map((layer, number) => buildImage(root, `layer-${number}`, layer));
}

/** Holds every path of the mount against the model. */
function compare(mounted: Buffer, shown: ReadonlyMap<string, Shown>): void {
  const inodes = new Map<Node, number>();
  const names = new Map<string, string[]>([...shown.keys()].map((path) => [path, []]));
  for (const path of shown.keys()) {
    if (path === '') continue;
    const slash = path.lastIndexOf('/');
    names.get(path.slice(0, Math.max(slash, 0)))?.push(path.slice(slash + 1));
  }
  for (const [path, { node: named, merged }] of shown) {
    const node = named.kind === 'alias' ? named.of : named;
    const place = Buffer.concat([mounted, Buffer.from(`/${path}`, 'latin1')]);
    const found = lstatSync(place);
    expect(found.mode).toBe(typeBits[node.kind as keyof typeof typeBits] | (node.mode ?? 0o644));
    expect([found.uid, found.mtimeMs / 1000]).toEqual([node.uid ?? 0, node.seconds ?? 0]);
    expect(found.nlink).toBe(merged ? 1 : (node.nlink ?? 1));
    const inode = inodes.get(node);
    if (inode !== undefined) expect(found.ino).toBe(inode);
    inodes.set(node, found.ino);
    if (node.kind === 'file') expect(readFileSync(place).equals(node.content)).toBe(true);
    if (node.kind === 'link') expect(readlinkSync(place, 'buffer').equals(node.target)).toBe(true);
    if (node.kind !== 'directory') continue;
    const listed = readdirSync(place, { encoding: 'buffer' }).map((name) => name.toString('latin1'));
    expect(listed.sort()).toEqual(names.get(path)?.sort());
    expect(() => lstatSync(Buffer.concat([place, Buffer.from('/none')]))).toThrow('ENOENT');
  }
  // Names of one entry share a number, and no two entries do.
  expect(new Set(inodes.values()).size).toBe(inodes.size);
}

test('a mount of several images shows what an overlay of their trees in memory does', async (ctx) => {
  const { root } = scene(ctx);
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(arbitraryLayers, async (layers) => {
      const mounted = join(root, `mounted-${runs++}`);
      mkdirSync(mounted);
      const indexes = build(root, layers).map(({ index }) => Buffer.from(index));
      const mount = await loadAddon().mount(indexes, Buffer.from(mounted), {});
      try {
        const shown = overlay(layers);
        compare(Buffer.from(mounted), shown);
        compare(Buffer.from(mounted), shown);
      } finally {
        mount.unmount();
        await mount.ended;
      }
    }),
    { numRuns: 12 },
  );
}, 120_000);

test('the images in the same order are served there already, in another order they are another mount', (ctx) => {
  const { root, directory: mounted } = scene(ctx);
  const layers = [directory({ name: file('base') }), directory({ name: file('fixed'), more: file('') })];
  const [base, fixes] = build(root, layers).map(({ index }) => index) as [string, string];
  expect(runShoal(['mount', base, fixes, mounted])).toMatchObject({ status: 0, stdout: '', stderr: '' });
  expect(readFileSync(join(mounted, 'name'), 'utf8')).toBe('fixed');
  const again = runShoal(['mount', base, fixes, mounted]);
  expect(again).toMatchObject({ status: 0, stdout: '' });
  expect(again.stderr).toContain('serves these images already');
  for (const others of [[fixes, base], [base], [base, fixes, fixes]]) {
    const { status, stderr } = runShoal(['mount', ...others, mounted]);
    expect(stderr).toContain(`found another image (${base} and 1 more, fuse.shoal)`);
    expect(status).toBe(1);
  }
  expect(runShoal(['unmount', mounted]).status).toBe(0);
});

test('statfs tells what all images hold together', async (ctx) => {
  const { root, directory: mounted } = scene(ctx);
  const layers = [directory({ a: file('x'.repeat(5000)) }), directory({ b: file('y'.repeat(5000)), c: directory({}) })];
  await mountImage(
    build(root, layers).map(({ index }) => index),
    mounted,
  );
  expect(statfsSync(mounted)).toMatchObject({ files: 4, ffree: 0, blocks: 3, bsize: 4096 });
});

test('a name is looked for in the image that has it, and in no other, when its directory has been used', async (ctx) => {
  const { root, directory: mounted } = scene(ctx);
  const layers = Array.from({ length: 8 }, (_, number) => directory({ in: directory({ [`f${number}`]: file('') }) }));
  const images = build(root, layers);
  const options = { entryTimeout: 0, attrTimeout: 0, negativeTimeout: 0, readdirplus: false };
  await mountImage(
    images.map(({ index }) => index),
    mounted,
    options,
  );
  const ask = (name: string) => lstatSync(join(mounted, 'in', name), { throwIfNoEntry: false })?.isFile();
  for (let round = 0; round < 8; round++) {
    for (let number = 0; number < 8; number++) expect(ask(`f${number}`)).toBe(true);
    expect(ask('none')).toBeUndefined();
  }
  // The attributes of the directories are those of the last image; the first one is at the bottom.
  for (const { index } of images.slice(1, -1)) truncateSync(index, 0);
  expect(ask('f0')).toBe(true);
  expect(ask('f7')).toBe(true);
  expect(ask('none')).toBeUndefined();
  expect(() => ask('f3')).toThrow('EIO');
});

test('damage in the index of one image hides nothing of the others, and is told once', async (ctx) => {
  const { root, directory: mounted } = scene(ctx);
  const damaged = file('');
  const layers = [
    directory({ in: directory({ low: file('low') }) }),
    directory({ in: directory({ bad: damaged, fine: file('fine') }) }),
    directory({ in: directory({ mine: file('mine') }) }),
  ];
  const images = build(root, layers);
  const middle = images[1] as BuiltImage;
  const editor = new ImageEditor(readFileSync(middle.index));
  writeFileSync(middle.index, editor.setName(middle.numbers.get(damaged) as number, 'b/d').seal().bytes);
  const log = join(root, 'log');
  await mountImage(
    images.map(({ index }) => index),
    mounted,
    { log, entryTimeout: 0, negativeTimeout: 0 },
  );
  for (let round = 0; round < 5; round++) {
    for (const name of ['low', 'fine', 'mine']) expect(readFileSync(join(mounted, 'in', name), 'utf8')).toBe(name);
    expect(() => readdirSync(join(mounted, 'in'))).toThrow('EIO');
  }
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(middle.index);
});

test('a crowded directory of three images is listed completely while others look names up', async (ctx) => {
  const { root, directory: mounted } = scene(ctx);
  const names = (first: number) =>
    directory(Object.fromEntries(Array.from({ length: 10_000 }, (_, number) => [`f${first + number}`, file('')])));
  const images = build(root, [0, 5000, 10_000].map(names));
  await mountImage(
    images.map(({ index }) => index),
    mounted,
  );
  const script = `cd '${mounted}'
    for i in 1 2; do seq 0 7 19999 | shuf | sed s/^/f/ | xargs stat -c %n >/dev/null & done
    find . -mindepth 1 -printf '%f\\n' | sort | cksum
    wait`;
  const expected = run('sh', ['-c', 'seq 0 19999 | sed s/^/f/ | sort | cksum']);
  expect(run('sh', ['-c', script])).toBe(expected);
});
