import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { contentOf, nodeAt } from './contract-tree.ts';
import type { GiveServed } from './describe-contract.ts';
import { callSystem } from './system-calls.ts';

export function linkTests(give: GiveServed): void {
  test('symbolic links have their targets, however long or dangling, and are followed', (ctx) => {
    const { abilities, at } = give(ctx);
    for (const name of ['relative', 'absolute', 'dangling', 'directory', 'longest', 'bytes']) {
      const link = nodeAt(`links/${name}`) as { target: Buffer };
      const [answer] = callSystem([['readlink', at(`links/${name}`)]]);
      if (name === 'bytes' && !abilities.anyBytes) expect(answer).toEqual({ error: 'EILSEQ' });
      else expect(answer).toEqual({ value: link.target.toString('hex') });
    }
    // Twice: the second answer may come from what the kernel keeps.
    expect(readlinkSync(at('links/longest'))).toHaveLength(4095);
    expect(readFileSync(at('links/relative'))).toEqual(contentOf(nodeAt('plain.txt')));
    expect(readFileSync(at('links/directory/file.txt')).toString()).toBe('below\n');
  });

  test('names of one file share its inode number and its content, and no two files do', (ctx) => {
    const { at } = give(ctx);
    const [first, ...others] = ['plain.txt', 'second-name.txt', 'below/third-name.txt'].map((path) => at(path));
    for (const other of others) {
      expect(statSync(other).ino).toBe(statSync(first as Buffer).ino);
      expect(readFileSync(other)).toEqual(readFileSync(first as Buffer));
    }
    expect(statSync(at('below/file.txt')).ino).not.toBe(statSync(first as Buffer).ino);
  });
}
