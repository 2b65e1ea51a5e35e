import { expect, it } from 'vitest';
import { errorCodes } from '../../src/base/errors.ts';
import * as constants from '../../src/format/constants.ts';
import { sectionKinds, sectionNames } from '../../src/format/section.ts';
import { nativeAddon } from '../support/native.ts';

it('has the numbers of the native core', (ctx) => {
  const { magic, ...numbers } = constants;
  expect(numbers).toEqual(nativeAddon(ctx).formatConstants);
  expect(Buffer.from(magic).toString('latin1')).toBe('\x89SHOAL\r\n');
});

it('has the error codes of the native core', (ctx) => {
  expect(errorCodes).toEqual(nativeAddon(ctx).codes);
});

it('numbers the sections from 1 on, without a gap', () => {
  expect(sectionNames.map((name) => sectionKinds[name])).toEqual(
    Array.from({ length: constants.lastSection }, (_, i) => i + 1),
  );
});
