import fc from 'fast-check';
import { expect, test } from 'vitest';
import { braceName, braceNotation, countBraceNames, parseBraceNames } from '../../src/base/brace-names.ts';

test('numbers have as many digits as the pattern gives them', () => {
  const names = parseBraceNames('train-{000098..000146}.tar');
  expect(countBraceNames(names)).toBe(49);
  expect([braceName(names, 0), braceName(names, 2)]).toEqual(['train-000098.tar', 'train-000100.tar']);
});

test.each(['train.tar', '{1..2', '{2..1}', '{1..10}', 'a/{0..1}', '{0..1}{0..1}', '{a..b}', '{-1..1}'])(
  '%s is no pattern',
  (pattern) => {
    expect(() => parseBraceNames(pattern)).toThrow(expect.objectContaining({ code: 'usage' }));
  },
);

test('consecutive names have the notation that gives them', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('', 'a-', '7x'),
      fc.nat(900),
      fc.integer({ min: 2, max: 90 }),
      (before, first, count) => {
        const names = { before, first, last: first + count - 1, digits: 3, behind: '.tar' };
        const all = Array.from({ length: count }, (_, place) => braceName(names, place));
        const notation = braceNotation(all) ?? '';
        expect(parseBraceNames(notation)).toEqual(names);
        expect(braceNotation([...all.slice(1), all[0] ?? ''])).toBeUndefined();
      },
    ),
  );
  expect(braceNotation(['a-1'])).toBeUndefined();
  expect(braceNotation(['a', 'b'])).toBeUndefined();
});
