import { execFileSync } from 'node:child_process';
import { beforeAll, expect, test } from 'vitest';
import { nativeBuildTimeout, nativeProgram } from './support/native-programs.ts';

beforeAll(() => void nativeProgram('block_cache_check'), nativeBuildTimeout);

test.for([
  ['storm', 'gives exact bytes or the failure of its source, within its ceiling, to more readers than blocks fit'],
  ['flight', 'reads a block once for all who want it at the same time'],
  ['pinned', 'never waits for memory, and keeps what is in use'],
  ['scan', 'keeps what is read again and again while everything is read once'],
  ['beside', 'reads ahead of a sequential reader beside dozens of random ones'],
  ['forget', 'reads a forgotten block anew'],
] as const)('the cache of blocks: %s: it %s', ([scenario], ctx) => {
  const program = nativeProgram('block_cache_check');
  if ('missing' in program) return ctx.skip(program.missing);
  expect(execFileSync(program.path, [scenario], { encoding: 'utf8' })).toBe('');
});
