import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { isRunning, mountsBelow, scene, until } from './scene.ts';

const program = fileURLToPath(new URL('read-until-gone.py', import.meta.url));

interface Reader {
  readonly child: ChildProcess;
  readonly said: () => string;
}

function startReader(directory: string, source: string, way: 'hold' | 'reopen'): Reader {
  const child = spawn('python3', [program, directory, source, way], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return { child, said: () => said };
}

test.for(['SIGTERM', 'a lease'] as const)(
  'ended by %s while readers are busy, the server gives exact bytes or, once unmounted, an error, and is gone',
  async (way, ctx) => {
    const { root, source, directory, pack, mount } = scene(ctx);
    for (let file = 0; file < 20; file++) writeFileSync(join(source, `file-${file}`), randomBytes(file * 50_000 + 1));
    await pack();
    const holder = spawn('sleep', ['1000'], { stdio: 'ignore' });
    onTestFinished(() => void holder.kill('SIGKILL'));
    const { pid } = await mount(way === 'SIGTERM' ? {} : { lease: holder.pid as number });
    const ways = ['hold', 'reopen', 'hold', 'reopen', 'reopen', 'reopen'] as const;
    const readers = ways.map((each) => startReader(directory, source, each));
    const exits = readers.map(({ child }) => once(child, 'close'));
    for (const { child } of readers) await once(child.stdout as Readable, 'data');

    if (way === 'SIGTERM') process.kill(pid, 'SIGTERM');
    else holder.kill('SIGKILL');
    await until(() => mountsBelow(root).length === 0);
    const ended = await Promise.all(exits);
    expect(readers.map(({ said }) => said())).toEqual(readers.map(() => ''));
    expect(ended).toEqual(readers.map(() => [0, null]));
    await until(() => !isRunning(pid));
  },
);
