import { expect, test } from 'vitest';
import type { GiveServed } from './describe-contract.ts';
import { callSystem } from './system-calls.ts';

export function xattrTests(give: GiveServed): void {
  test('extended attributes are listed and given, in buffers that are just long enough, and refused if they are shorter', (ctx) => {
    const { at } = give(ctx);
    const names = ['user.colour', 'user.empty', 'user.long'];
    const length = names.join('\0').length + 1;
    const get = (name: string, size: number) => ['getxattr', at('attributed'), name, size] as const;
    const list = (path: string, size: number) => ['listxattr', at(path), size] as const;
    expect(
      callSystem([
        list('attributed', 0),
        list('attributed', length),
        list('attributed', length - 1),
        list('attributed', 1),
        list('plain.txt', 0),
        list('plain.txt', 100),
        get('user.colour', 0),
        get('user.colour', 10),
        get('user.colour', 1000),
        get('user.colour', 9),
        get('user.empty', 0),
        get('user.empty', 10),
        get('user.long', 60_000),
        get('user.long', 59_999),
        get('user.none', 0),
        get('user.colour.', 10),
        ['getxattr', at('plain.txt'), 'user.colour', 10],
      ]),
    ).toEqual([
      { value: { length, names: [] } },
      { value: { length, names } },
      { error: 'ERANGE' },
      { error: 'ERANGE' },
      { value: { length: 0, names: [] } },
      { value: { length: 0, names: [] } },
      { value: { length: 10, bytes: '' } },
      { value: { length: 10, bytes: hex('blue\0green') } },
      { value: { length: 10, bytes: hex('blue\0green') } },
      { error: 'ERANGE' },
      { value: { length: 0, bytes: '' } },
      { value: { length: 0, bytes: '' } },
      { value: { length: 60_000, bytes: hex('v'.repeat(60_000)) } },
      { error: 'ERANGE' },
      { error: 'ENODATA' },
      { error: 'ENODATA' },
      { error: 'ENODATA' },
    ]);
  });
}

function hex(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex');
}
