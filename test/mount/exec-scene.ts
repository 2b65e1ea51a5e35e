import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { onTestFinished, type TestContext } from 'vitest';
import { shoalProgram } from '../support/run-shoal.ts';
import { isRunning, type Scene, scene } from './scene.ts';

/** Who runs the command. */
export interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

export const nobody: Identity = { uid: 65_534, gid: 65_534 };

/** An image with `hello` and `below/deep`, and `shoal exec` as a process. */
export interface ExecScene extends Scene {
  /** Runs `shoal exec ...args` to its end. */
  run(
    args: readonly string[],
    options?: { cwd?: string; input?: Buffer; env?: NodeJS.ProcessEnv },
  ): SpawnSyncReturns<Buffer>;
  /** Starts it, and returns when it has written a line to its standard output. */
  start(args: readonly string[]): Promise<Running>;
  /** Whether any process on this machine has a mount below the scene. */
  isMountedAnywhere(): boolean;
}

export interface Running {
  /** Of shoal, which leads a process group. */
  readonly pid: number;
  /** All that it has written so far. */
  stdout(): string;
  /** Resolves when it has ended: its status, its signal, and all that it wrote. */
  readonly ended: Promise<{ status: number | null; signal: NodeJS.Signals | null; stdout: string }>;
}

export async function execScene(ctx: TestContext, identity: Identity = {}): Promise<ExecScene> {
  const made = scene(ctx);
  skipUnlessAllowed(ctx, identity);
  writeFileSync(join(made.source, 'hello'), 'hello, world\n');
  mkdirSync(join(made.source, 'below'));
  writeFileSync(join(made.source, 'below/deep'), 'deep\n');
  await made.pack();
  for (const file of [made.image, made.volume]) chmodSync(file, 0o644);
  const line = (args: readonly string[]) => [shoalProgram, 'exec', ...args];
  return {
    ...made,
    run: (args, options = {}) =>
      spawnSync(process.execPath, line(args), { cwd: made.root, maxBuffer: 1 << 28, ...identity, ...options }),
    start: async (args) => {
      const child = spawn(process.execPath, line(args), {
        cwd: made.root,
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
        ...identity,
      });
      const pid = child.pid as number;
      onTestFinished(() => {
        if (isRunning(pid)) process.kill(-pid, 'SIGKILL');
      });
      let stdout = '';
      const output = child.stdout as Readable;
      output.setEncoding('utf8');
      const wrote = new Promise<void>((resolve) => {
        output.on('data', (part: string) => {
          stdout += part;
          if (stdout.includes('\n')) resolve();
        });
      });
      const ended = once(child, 'close').then(([status, signal]) => ({ status, signal, stdout }));
      await Promise.race([wrote, ended]);
      return { pid, stdout: () => stdout, ended };
    },
    isMountedAnywhere: () => anyMountinfo((text) => text.includes(` ${made.root}/`)),
  };
}

function skipUnlessAllowed(ctx: TestContext, identity: Identity): void {
  if (identity.uid !== undefined && process.getuid?.() !== 0) ctx.skip('needs root, to become somebody else');
  if (identity.uid === undefined && process.getuid?.() === 0) return;
  const tried = spawnSync('unshare', ['--user', '--mount', 'sh', '-c', ': <> /dev/fuse'], { ...identity });
  if (tried.status !== 0) ctx.skip(`users may make no namespaces here, or not open /dev/fuse: ${tried.stderr}`);
}

function anyMountinfo(holds: (text: string) => boolean): boolean {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        return holds(readFileSync(`/proc/${pid}/mountinfo`, 'latin1'));
      } catch {
        return false; // It has ended.
      }
    });
}
