import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, type TestContext, test } from 'vitest';
import { documents, type Ran, runShell } from '../support/run-shoal.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();

beforeEach(() => {
  rmSync(scratch.path, { recursive: true, force: true });
  mkdirSync(join(scratch.path, 'tree'), { recursive: true });
});
afterAll(scratch.remove);

/** Runs a line of shell in a mount namespace of its own, in which `tree/one` and `tree/sub/two` are two filesystems. */
function withMounts(ctx: TestContext, line: string): Ran {
  if (spawnSync('unshare', ['-m', 'true']).status !== 0) ctx.skip('needs root to mount in a namespace of its own');
  const script = `
    set -e
    mkdir -p tree/one tree/sub/two
    mount -t tmpfs one tree/one
    mount -t tmpfs two tree/sub/two
    echo 1 > tree/one/a; echo 2 > tree/sub/two/a
    ln tree/one/a tree/one/b; ln tree/sub/two/a tree/sub/two/b
    shoal() { "$NODE" "$PROGRAM" "$@"; }
    ${line}`;
  return runShell(`unshare -m bash -c "$SCRIPT"`, {
    cwd: scratch.path,
    env: { ...process.env, SCRIPT: `export NODE PROGRAM\n${script}`, NODE: process.execPath, PROGRAM: program },
  });
}
const program = join(import.meta.dirname, '..', '..', 'bin', 'shoal.js');

test('with --one-file-system, directories on which others are mounted are packed empty, and named', (ctx) => {
  const ran = withMounts(
    ctx,
    'shoal pack tree -o x.shoal --one-file-system; shoal ls -R x.shoal; shoal verify x.shoal',
  );
  expect(ran.status).toBe(0);
  expect(ran.stdout).toContain('.:\none\nsub\n\n./one:\n\n./sub:\ntwo\n\n./sub/two:\n');
  for (const path of ['tree/one', 'tree/sub/two'])
    expect(ran.stderr).toContain(`skipped ${path}: another filesystem is mounted here; packed as an empty directory`);
});

test('without it they are packed with all that is in them, and named', (ctx) => {
  const ran = withMounts(
    ctx,
    'shoal pack tree -o x.shoal --json; shoal cat x.shoal one/b sub/two/b; shoal verify x.shoal --against tree',
  );
  expect(ran.status).toBe(0);
  const [packed] = documents(ran.stdout.split('\n')[0] as string);
  expect(packed).toMatchObject({ entries: 8, skipped: [], notices: [{ path: 'tree/one' }, { path: 'tree/sub/two' }] });
  expect(ran.stdout).toContain('\n1\n2\n');
  expect(ran.stdout).toContain('no difference');
});

test('files of two filesystems with the same inode number are not taken for one', (ctx) => {
  const ran = withMounts(
    ctx,
    `stat -c %i tree/one/a tree/sub/two/a; shoal pack tree -o x.shoal -q; shoal stat x.shoal --json one/a one/b sub/two/a sub/two/b`,
  );
  expect(ran.status).toBe(0);
  const [one, two, ...stats] = ran.stdout.trim().split('\n');
  expect(one).toBe(two);
  const inodes = documents(stats.join('\n')).map(({ inode }) => inode);
  expect(inodes[0]).toBe(inodes[1]);
  expect(inodes[2]).toBe(inodes[3]);
  expect(inodes[0]).not.toBe(inodes[2]);
});

test('a source that is itself a mount point is packed', (ctx) => {
  const ran = withMounts(ctx, 'shoal pack tree/one tree/sub -o x.shoal --one-file-system; shoal ls -R x.shoal');
  expect(ran.stdout).toContain('./one:\na\nb\n');
  expect(ran.stderr).not.toContain('tree/one:');
});
