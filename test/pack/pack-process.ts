import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Problem } from '../../src/base/errors.ts';
import { removeTree } from '../support/remove-tree.ts';

/** A directory of its own under the system's temporary one, and how to be rid of it. */
export function scratchDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'shoal-pack-'));
  return { path, remove: () => removeTree(path) };
}

export interface PackOutcome {
  readonly id?: string;
  readonly entries?: number;
  readonly code?: string;
  readonly message?: string;
  readonly problems?: readonly Problem[];
}

export interface PackProcess {
  readonly process: ChildProcess;
  /** What it prints at its end; empty if it was killed. */
  readonly outcome: Promise<PackOutcome>;
}

/** Runs pack-child.ts, as the user `uid` if one is given. */
export function startPack(output: string, sources: readonly string[], uid?: number): PackProcess {
  const tsx = fileURLToPath(new URL('../../node_modules/tsx/dist/cli.mjs', import.meta.url));
  const child = fileURLToPath(new URL('pack-child.ts', import.meta.url));
  // tsx runs the program in a child of its own; --import runs it in the process that is killed.
  const loader = fileURLToPath(new URL('../../node_modules/tsx/dist/esm/index.mjs', import.meta.url));
  const options = existsSync(loader) ? ['--import', loader, child] : [tsx, child];
  const process_ = spawn(process.execPath, [...options, output, ...sources], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TSX_DISABLE_CACHE: '1' },
    ...(uid !== undefined && { uid, gid: uid }),
  });
  let text = '';
  process_.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const outcome = once(process_, 'close').then(() => (text === '' ? {} : (JSON.parse(text) as PackOutcome)));
  return { process: process_, outcome };
}

/** Waits until `condition` holds, at most half a minute. */
export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 6000; tries++) {
    if (condition()) return;
    await sleep(5);
  }
  throw new Error('waited in vain');
}
