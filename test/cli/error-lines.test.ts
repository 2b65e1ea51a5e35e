import { describe, expect, test } from 'vitest';
import { ShoalError } from '../../src/base/errors.ts';
import { errorDocument, errorLines } from '../../src/cli/error-lines.ts';

describe('an error is told', () => {
  const damage = new ShoalError('checksum', 'expected CRC32C 1, found 2; copy the file anew', {
    path: 'a.tar',
    offset: 42,
  });

  test('with what and why first, then where', () => {
    expect(errorLines(damage, 'cat', false)).toEqual([
      'shoal: cat: expected CRC32C 1, found 2; copy the file anew',
      '  path: a.tar',
      '  offset: 42',
    ]);
  });

  test('without lines for what it does not know', () => {
    expect(errorLines(new ShoalError('io', 'cannot read'), undefined, false)).toEqual(['shoal: cannot read']);
  });

  test('with the stack and its causes only if asked for', () => {
    const lines = errorLines(new ShoalError('io', 'cannot read', { cause: new Error('EIO') }), 'cat', true);
    expect(lines.join('\n')).toMatch(/cannot read\n(\s+at .*\n)+caused by EIO\n\s+at /);
  });

  test('as one line if it is a fault of the program', () => {
    expect(errorLines(new TypeError('x is not a function\nmore'), 'ls', false)).toEqual([
      'shoal: ls: internal error: x is not a function; --verbose shows where, please report it',
    ]);
  });

  test('to machines as a document', () => {
    const { message } = damage;
    expect(errorDocument(damage)).toEqual({ error: { code: 'checksum', message, path: 'a.tar', offset: 42 } });
    expect(errorDocument(new TypeError('x'))).toEqual({ error: { code: 'internal', message: 'x' } });
  });
});
