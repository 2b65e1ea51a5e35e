import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { nativeBuildTimeout, nativeProgram } from '../support/native-programs.ts';
import { cannotRun, launcher } from '../support/sanitizers.ts';
import { fillWithFiles, slowTree } from './slow-tree.ts';

beforeAll(() => void nativeProgram('pack_tree', 'tsan'), nativeBuildTimeout);

const files = 800;

describe('walk and writer, with ThreadSanitizer', () => {
  test.for([
    ['as it is', 0],
    ['compressed', 3],
  ] as const)(
    'a tree is packed %s by one, by a given number and by a growing number of threads: the same bytes, no race',
    async ([, level], ctx) => {
      const program = packTreeProgram(ctx);
      const tree = await slowTree(ctx, 2, (source) => fillWithFiles(source, files, 50));
      const runs = [
        { jobs: 1, source: tree.source },
        { jobs: 7, source: tree.source },
        { jobs: 0, source: tree.source },
        { jobs: 0, source: tree.slow },
      ];
      const volumes = runs.map(({ jobs, source }, i) => {
        const volume = join(tree.scratch, `${i}.tar`);
        expect(run(program, [source, volume, String(jobs), String(level)])).toBe(`${files + files / 50 + 1}\n`);
        return readFileSync(volume);
      });
      expect((await tree.count()).most).toBeGreaterThanOrEqual(16);
      for (const volume of volumes.slice(1)) expect(volume.equals(volumes[0] as Buffer)).toBe(true);
    },
  );

  test('threads grow in number without a race', (ctx) => {
    const before = packTreeProgram(ctx).slice(0, -1);
    const check = nativeProgram('growing_threads_check', 'tsan');
    if ('missing' in check) return ctx.skip(check.missing);
    expect(run([...before, check.path], [])).toBe('done\n');
  });
});

/** How pack_tree is run here. */
function packTreeProgram(ctx: TestContext): readonly string[] {
  const program = nativeProgram('pack_tree', 'tsan');
  if ('missing' in program) return ctx.skip(program.missing);
  const reason = cannotRun(program.path);
  return reason === undefined ? launcher(program.path) : ctx.skip(reason);
}

/** What it prints. A race is told on stderr and by its status. */
function run([program, ...before]: readonly string[], options: readonly string[]): string {
  return execFileSync(program as string, [...before, ...options], { encoding: 'utf8' });
}
