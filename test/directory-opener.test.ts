import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { nativeBuildTimeout, nativeProgram } from './support/native-programs.ts';
import { removeTree } from './support/remove-tree.ts';

beforeAll(() => void nativeProgram('directory_opener_check'), nativeBuildTimeout);

test('a chain of thousands of directories is gone down, up and with detours by few descriptors, in few steps', (ctx) => {
  const program = nativeProgram('directory_opener_check');
  if ('missing' in program) return ctx.skip(program.missing);
  const directory = mkdtempSync(join(tmpdir(), 'shoal-opener-'));
  try {
    expect(execFileSync(program.path, [directory], { encoding: 'utf8' })).toBe('');
  } finally {
    removeTree(directory);
  }
});
