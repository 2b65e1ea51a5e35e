import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { fileTypes } from '../../src/format/columns.ts';
import type { Node } from '../support/build-image.ts';
import { isReachable } from './attributes.ts';
import { childrenOf, contractTree, crowdSize, nodeAt } from './contract-tree.ts';
import type { GiveServed } from './describe-contract.ts';
import { value } from './system-calls.ts';

type Listed = readonly { readonly name: string; readonly ino: number; readonly type: number }[];

export function listingTests(give: GiveServed): void {
  test('a listing has every name once, with its inode number and type, and the two dots', (ctx) => {
    const { abilities, image, at } = give(ctx);
    for (const path of ['', 'below', 'links', 'names', 'empty-directory', 'many']) {
      const directory = path === '' ? contractTree : nodeAt(path);
      const inode = (node: Node) => (image.numbers.get(node.kind === 'alias' ? node.of : node) as number) + 1;
      const dots = [
        { name: hex('.'), ino: inode(directory), type: fileTypes.directory },
        { name: hex('..'), ino: inode(contractTree), type: fileTypes.directory },
      ];
      const children = childrenOf(directory as Node & { kind: 'directory' })
        .filter(([name]) => isReachable(name, abilities))
        .map(([name, node]) => ({ name: name.toString('hex'), ino: inode(node), type: typeOf(node) }));
      expect(sorted(value<Listed>('list', at(path)))).toEqual(sorted([...dots, ...children]));
    }
  });

  test('of a large directory many listers at once get all names, and seekers find their places again', (ctx) => {
    const { at } = give(ctx);
    const names = Array.from({ length: crowdSize }, (_, i) => `entry-${i}`)
      .concat('.', '..')
      .sort();
    const entries = names.length;
    const sha1 = createHash('sha1').update(names.join('\n')).digest('hex');
    // Distinct results: all listers got the same, and all seekers.
    expect(value('crowd_of_listers', at('crowd'))).toEqual([
      { distinct: entries, entries, sha1 },
      { entries, wrong: 0 },
    ]);
  });

  test('in a small directory a program can go back to a place in its listing', (ctx) => {
    const { at } = give(ctx);
    expect(value('seek_in_listing', at('below'), 1)).toEqual({ entries: 4, wrong: 0 });
    expect(value('seek_in_listing', at('empty-directory'), 1)).toEqual({ entries: 2, wrong: 0 });
  });
}

function typeOf(node: Node): number {
  if (node.kind === 'alias') return typeOf(node.of);
  return fileTypes[node.kind === 'sparse' ? 'file' : node.kind];
}

function sorted(listed: Listed): Listed {
  return [...listed].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function hex(text: string): string {
  return Buffer.from(text).toString('hex');
}
