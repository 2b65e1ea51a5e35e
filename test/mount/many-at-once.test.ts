import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { unmountImage } from '../../src/mount/unmount-image.ts';
import { shoalProgram } from '../support/run-shoal.ts';
import { mountsBelow, type Scene, scene, until } from './scene.ts';

/** As many as a node has tasks; fewer unless asked for, because each is a Node process to be started. */
const processes = Number(process.env['SHOAL_TEST_PROCESSES'] ?? 32);

interface Command {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }>;
}

async function helloScene(ctx: TestContext): Promise<Scene> {
  const made = scene(ctx);
  writeFileSync(join(made.source, 'hello'), 'hello, world\n');
  await made.pack();
  return made;
}

function start({ image, directory }: Scene, onDone: () => void = () => {}): Command {
  const child = spawn(process.execPath, [shoalProgram, 'mount', '--json', image, directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (text.includes('\n')) onDone();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return {
    child,
    ended: once(child, 'close').then(([status]) => ({ status: status as number | null, stdout, stderr })),
  };
}

/** Process ids of those that these have started. */
function childrenOf(commands: readonly Command[]): number[] {
  const parents = new Set(commands.map(({ child }) => child.pid));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const parent = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'latin1'))?.[1]);
        return parents.has(parent) ? [Number(name)] : [];
      } catch {
        return [];
      }
    });
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

test(`${processes} processes that mount the same at once all succeed, with one server, time and again`, async (ctx) => {
  const made = await helloScene(ctx);
  for (let round = 0; round < 2; round++) {
    const read: string[] = [];
    const readAtOnce = () => void read.push(readFileSync(join(made.directory, 'hello'), 'utf8'));
    const outcomes = await Promise.all(Array.from({ length: processes }, () => start(made, readAtOnce).ended));
    expect(read).toEqual(Array(processes).fill('hello, world\n'));
    expect(outcomes.map(({ status, stderr }) => ({ status, stderr }))).toEqual(
      Array(processes).fill({ status: 0, stderr: '' }),
    );
    const told = outcomes.map(({ stdout }) => JSON.parse(stdout) as { already: boolean; pid: number });
    expect(told.filter(({ already }) => !already).length).toBe(1);
    expect(new Set(told.map(({ pid }) => pid)).size).toBe(1);
    expect(mountsBelow(made.root)).toEqual([made.directory]);
    // Lazily: its server need not end while another mount namespace, of another test, has the mount, too.
    await unmountImage(made.directory, { lazy: true });
  }
});

test.for(['the server', 'the command that started it'] as const)(
  'where %s is killed before it is ready, the others mount all the same',
  async (who, ctx) => {
    const made = await helloScene(ctx);
    const commands = Array.from({ length: 10 }, () => start(made));
    let server: number | undefined;
    await until(() => {
      server = childrenOf(commands)[0];
      return server !== undefined;
    });
    killIfThere(who === 'the server' ? (server as number) : parentOf(server as number));
    const outcomes = await Promise.all(commands.map(({ ended }) => ended));
    // None if the blow came too late.
    expect(outcomes.filter(({ status }) => status !== 0).length).toBeLessThanOrEqual(1);
    expect((await start(made).ended).status).toBe(0);
    expect(mountsBelow(made.root)).toEqual([made.directory]);
    expect(readFileSync(join(made.directory, 'hello'), 'utf8')).toBe('hello, world\n');
  },
);

test('where the server is killed when it has mounted, the next command mounts anew', async (ctx) => {
  const made = await helloScene(ctx);
  const commands = Array.from({ length: 10 }, () => start(made));
  await until(() => mountsBelow(made.root).length > 0);
  for (const server of childrenOf(commands)) killIfThere(server);
  await Promise.all(commands.map(({ ended }) => ended));
  expect((await start(made).ended).status).toBe(0);
  expect(mountsBelow(made.root)).toEqual([made.directory]);
  expect(readFileSync(join(made.directory, 'hello'), 'utf8')).toBe('hello, world\n');
});
