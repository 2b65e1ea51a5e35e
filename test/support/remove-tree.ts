import { execFileSync, spawnSync } from 'node:child_process';

/** Removes a tree that a user could not simply remove, because of its modes, nor Node, because of paths beyond PATH_MAX. */
export function removeTree(path: string): void {
  if (process.getuid?.() !== 0) spawnSync('chmod', ['-R', 'u+rwX', path], { stdio: 'ignore' });
  execFileSync('rm', ['-rf', path]);
}
