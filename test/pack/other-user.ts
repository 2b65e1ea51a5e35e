import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';

const nobody = 65534;

/** A user whom permissions stop. As root one is made of this process's children; undefined means this process's own user. Skips where the other may not read the repository. */
export function plainUser(ctx: TestContext): number | undefined {
  return process.getuid?.() === 0 ? anotherUser(ctx) : undefined;
}

/** Skips where this process can not become another user. */
export function anotherUser(ctx: TestContext): number {
  if (process.getuid?.() !== 0) ctx.skip('needs root to become another user');
  const source = fileURLToPath(new URL('../../src/pack/pack-tree.ts', import.meta.url));
  const found = spawnSync('cat', [source], { uid: nobody, gid: nobody, stdio: 'ignore' });
  if (found.status !== 0) ctx.skip('the repository lies where other users can not read it');
  return nobody;
}

/** Makes a directory that belongs to the user. */
export function directoryOf(user: number | undefined, path: string): void {
  mkdirSync(path, { recursive: true });
  if (user !== undefined) chownSync(path, user, user);
}

/** Lets everybody through a directory that mkdtemp made for us alone. */
export function openUp(path: string): void {
  chmodSync(path, 0o755);
}
