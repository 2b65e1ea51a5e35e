import fc from 'fast-check';
import { expect, test } from 'vitest';
import { argumentBytes, argumentText, rawArguments } from '../../src/cli/raw-arguments.ts';

test('an argument as text gives its bytes again, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(argumentBytes(argumentText(Buffer.from(bytes)))).toEqual(Buffer.from(bytes));
    }),
  );
});

test('arguments that are UTF-8 stay the text that they are', () => {
  expect(argumentText(Buffer.from('häuser/🐟'))).toBe('häuser/🐟');
  expect(argumentBytes('häuser/🐟')).toEqual(Buffer.from('häuser/🐟'));
  expect(rawArguments(['node', 'shoal', 'ls', 'häuser'])).toEqual(['ls', 'häuser']);
});

test('bytes of different names stay different', () => {
  expect(argumentText(Buffer.of(0x61, 0xff))).not.toBe(argumentText(Buffer.of(0x61, 0xfe)));
});

test('where the kernel knows other arguments, those of Node hold', () => {
  expect(rawArguments(['node', 'shoal', 'cat', 'a\uFFFD'])).toEqual(['cat', 'a\uFFFD']);
});
