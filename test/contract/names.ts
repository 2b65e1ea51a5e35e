import { expect, test } from 'vitest';
import { isReachable } from './attributes.ts';
import { childrenOf, nodeAt } from './contract-tree.ts';
import type { GiveServed } from './describe-contract.ts';
import { callSystem } from './system-calls.ts';

export function nameTests(give: GiveServed): void {
  test('an entry is found by any name that a file can have, and by none that only resembles it', (ctx) => {
    const { abilities, at } = give(ctx);
    const names = childrenOf(nodeAt('names') as never).map(([name]) => name);
    const within = (name: Buffer) => at(Buffer.concat([Buffer.from('names/'), name]));
    const answers = callSystem(names.map((name) => ['pread', within(name), 1000, 0]));
    const expected = names.map((name) =>
      isReachable(name, abilities)
        ? { value: Buffer.concat([Buffer.from('named '), name]).toString('hex') }
        : { error: 'ENOENT' },
    );
    expect(answers).toEqual(expected);
    const others = ['nn', '  ', 'New\nline', 'e\u0302', 'É', 'n'.repeat(254)].map((name) => within(Buffer.from(name)));
    expect(callSystem(others.map((path) => ['lstat', path]))).toEqual(others.map(() => ({ error: 'ENOENT' })));
  });
}
