import { isUtf8 } from 'node:buffer';
import { expect, test } from 'vitest';
import { fileTypes } from '../../src/format/columns.ts';
import type { Node } from '../support/build-image.ts';
import { contractEntries } from './contract-tree.ts';
import type { GiveServed } from './describe-contract.ts';
import type { Abilities } from './engines.ts';
import { value } from './system-calls.ts';

const types = { ...fileTypes, sparse: fileTypes.file };

export function attributeTests(give: GiveServed): void {
  test('every attribute of every kind of entry is as in the image', (ctx) => {
    const { abilities, image, at } = give(ctx);
    const paths = contractEntries.filter(({ path }) => isReachable(path, abilities) && !isCrowd(path));
    const found = value<Attributes[]>(
      'lstats',
      paths.map(({ path }) => at(path)),
    );
    const expected = paths.map(({ node }) => attributesOf(node, image.numbers, abilities));
    expect(found.map((each, i) => ({ path: shown(paths[i]?.path), ...each }))).toEqual(
      expected.map((each, i) => ({ path: shown(paths[i]?.path), ...each })),
    );
  });

  test('a program that asks again gets the same, also of a name that it reached in another way', (ctx) => {
    const { at } = give(ctx);
    const ways = [
      'plain.txt',
      'below/../plain.txt',
      './/plain.txt',
      'links/directory/../plain.txt',
      'links/../plain.txt',
    ];
    const all = value<Attributes[]>(
      'lstats',
      [...ways, ...ways].map((path) => at(path)),
    );
    expect(new Set(all.map((each) => JSON.stringify(each))).size).toBe(1);
  });

  test('statfs tells the numbers of entries and of bytes, all of them used', (ctx) => {
    const { at } = give(ctx);
    const told = value<Record<string, number>>('statfs', at());
    const files = contractEntries.map(({ node }) => node);
    const bytes = [...new Set(files)].reduce((sum, node) => sum + sizeOf(node), 0);
    expect(told).toMatchObject({ files: contractEntries.length, bfree: 0, bavail: 0, ffree: 0, namemax: 255 });
    expect((told['frsize'] as number) * (told['blocks'] as number)).toBe(Math.ceil(bytes / 4096) * 4096);
  });
}

type Attributes = Readonly<Record<string, string>>;

/** As lstat of system-calls.py tells them. */
export function attributesOf(node: Node, numbers: ReadonlyMap<Node, number>, { exactTimes }: Abilities): Attributes {
  if (node.kind === 'alias') return attributesOf(node.of, numbers, { exactTimes } as Abilities);
  const device = node.kind === 'character' || node.kind === 'block' ? `${node.major}:${node.minor}` : '0:0';
  const exact = BigInt(node.seconds ?? 0) * 1_000_000_000n + BigInt(node.nanoseconds ?? 0);
  const time = exactTimes ? exact : exact < 0n ? 0n : exact - (exact % 1_000_000n);
  const texts = {
    mode: (types[node.kind] << 12) | (node.mode ?? 0o644),
    uid: node.uid ?? 0,
    gid: node.gid ?? 0,
    nlink: node.nlink ?? 1,
    size: node.kind === 'directory' ? 4096 : sizeOf(node),
    blocks: Math.ceil(storedLength(node) / 512),
    ino: (numbers.get(node) ?? Number.NaN) + 1,
    mtime_ns: time,
    rdev: device,
  };
  return Object.fromEntries(Object.entries(texts).map(([name, each]) => [name, String(each)]));
}

/** Names that the engine shows; without `anyBytes` none with U+FFFD either, as others look like it. */
export function isReachable(path: Buffer, { anyBytes }: Abilities): boolean {
  return anyBytes || (isUtf8(path) && !path.toString().includes('\ufffd'));
}

function isCrowd(path: Buffer): boolean {
  return path.toString('latin1').startsWith('crowd/entry-') && !path.toString('latin1').endsWith('777');
}

function sizeOf(node: Node): number {
  if (node.kind === 'file') return node.content.length;
  if (node.kind === 'sparse') return node.size;
  return node.kind === 'link' ? node.target.length : 0;
}

function storedLength(node: Node): number {
  if (node.kind === 'file') return node.content.length;
  if (node.kind !== 'sparse') return 0;
  return [...node.data.values()].reduce((sum, bytes) => sum + bytes.length, 0);
}

function shown(path: Buffer | undefined): string {
  return path?.toString('latin1') ?? '';
}
