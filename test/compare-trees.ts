import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface CompareOptions {
  /** What is left out: `mode`, `uid`, `gid`, `mtime`, `nlink`, `linked to`, `size`, `rdev`, `target`, `xattrs`, `content`; `sockets` that only `expected` has. */
  readonly ignore?: readonly string[];
  /** Differences to list before it stops. Default 50. */
  readonly limit?: number;
}

/**
 * Compares two directories by lstat, extended attributes, link targets and content, names as bytes, at any depth. Returns one line for each
 * difference. Runs in a process of its own: `found` may be a mount that this process serves.
 */
export async function compareTrees(expected: string, found: string, options: CompareOptions = {}): Promise<string[]> {
  const complete = { ignore: [], limit: 50, ...options };
  const script = fileURLToPath(new URL('compare-trees.py', import.meta.url));
  const { stdout } = await promisify(execFile)('python3', [script, expected, found, JSON.stringify(complete)], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return JSON.parse(stdout) as string[];
}
