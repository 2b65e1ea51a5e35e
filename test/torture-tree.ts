import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface TortureOptions {
  /** Also device nodes, foreign owners, unreadable modes, trusted and security attributes: needs uid 0. Default: whether we have it. */
  readonly root?: boolean;
  /** Files of 10 GiB and over 8 GiB, nearly all of them holes; needs a filesystem with sparse files. Default true. */
  readonly hugeSparse?: boolean;
  /** Files in one directory; 0 for none. Default 0. */
  readonly crowd?: number;
  /** Steps of a chain of 200-byte names. Default 40: a path of 8 000 bytes. */
  readonly deepSteps?: number;
  /** Steps of a chain of one-byte names. Default 200. */
  readonly narrowSteps?: number;
}

export interface TortureNotes {
  /** Paths of the sockets below the tree, which no image holds; bytes as latin1. */
  readonly sockets: readonly string[];
  /** Parts that this filesystem or user cannot make, with the reason. */
  readonly skipped: readonly string[];
}

/** Makes the tree at `directory`. A file `.NAME-outside` beside it is a further name of one of its files. */
export function makeTortureTree(directory: string, options: TortureOptions = {}): TortureNotes {
  const complete = {
    root: process.getuid?.() === 0,
    hugeSparse: true,
    crowd: 0,
    deepSteps: 40,
    narrowSteps: 200,
    ...options,
  };
  const script = fileURLToPath(new URL('torture-tree.py', import.meta.url));
  const output = execFileSync('python3', [script, directory, JSON.stringify(complete)], { encoding: 'utf8' });
  return JSON.parse(output) as TortureNotes;
}
