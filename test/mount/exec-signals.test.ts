import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { shoalProgram } from '../support/run-shoal.ts';
import { type ExecScene, execScene, type Identity, nobody, type Running } from './exec-scene.ts';
import { isRunning, until } from './scene.ts';

const identities: [string, Identity][] = [
  ['as whoever runs the tests', {}],
  ['as a user', nobody],
];

/** Says its process id, then each signal that it gets; SIGUSR2 ends it with status 7. With an argument it leaves its process group. */
const listener = `
import os, signal, sys
if len(sys.argv) > 1: os.setpgrp()
names = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT', 'SIGXCPU', 'SIGRTMIN']
wanted = [getattr(signal, name) for name in names]
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
for number in wanted: signal.signal(number, lambda *_: None)
print(os.getpid(), flush=True)
while True:
    got = signal.sigwait(wanted)
    print(signal.Signals(got).name, flush=True)
    if got == signal.SIGUSR2: sys.exit(7)
`;

/** SIGRTMIN; the numbers below are those of the C library. */
const realTime = 34;

/** Starts the listener within an image. */
async function startListener(made: ExecScene): Promise<Running & { readonly command: number }> {
  const script = join(made.root, 'listener.py');
  writeFileSync(script, listener, { mode: 0o644 });
  const running = await made.start(['image.shoal:mounted', '--', 'python3', script]);
  return { ...running, command: Number.parseInt(running.stdout(), 10) };
}

describe.each(identities)('shoal exec, %s,', (_, identity) => {
  test('ends as its command does', async (ctx) => {
    const { run } = await execScene(ctx, identity);
    const end = (script: string) => {
      const { status, signal } = run(['image.shoal', '--', 'sh', '-c', script]);
      return { status, signal };
    };
    for (const status of [0, 1, 3, 126, 255]) expect(end(`exit ${status}`)).toEqual({ status, signal: null });
    for (const name of ['TERM', 'INT', 'KILL', 'SEGV', 'HUP', 'USR1'])
      expect(end(`kill -${name} $$`)).toEqual({ status: null, signal: `SIG${name}` });
  });

  test('dumps no core of its own where the command dumps one', async (ctx) => {
    const { root } = await execScene(ctx, identity);
    const line = `ulimit -c unlimited; "${process.execPath}" "${shoalProgram}" exec image.shoal -- sh -c 'kill -ABRT $$'; echo $?`;
    const said = execFileSync('bash', ['-c', `exec 2>&1; ${line}`], { cwd: root, encoding: 'utf8', ...identity });
    expect(said).toMatch(/134\n$/);
    expect(said).not.toContain('core dumped');
  });

  test('ends with 127 where there is no such program, with 126 where it cannot be run', async (ctx) => {
    const { root, run, isMountedAnywhere } = await execScene(ctx, identity);
    writeFileSync(join(root, 'plain'), 'text');
    chmodSync(join(root, 'plain'), 0o644);
    const none = run(['image.shoal', '--', 'no-such-program']);
    expect(none.status).toBe(127);
    expect(none.stderr.toString()).toBe(
      'shoal: exec: expected a program of this name in a directory of PATH, found none\n  path: no-such-program\n',
    );
    expect(run(['image.shoal', '--', './none']).status).toBe(127);
    const plain = run(['--json', 'image.shoal', '--', './plain']);
    expect(plain.status).toBe(126);
    expect(JSON.parse(plain.stderr.toString())).toMatchObject({ error: { code: 'permission', path: './plain' } });
    expect(run(['image.shoal', '--', './source']).status).toBe(126);
    expect(isMountedAnywhere()).toBe(false);
  });

  test('passes on what is sent to it alone, once', async (ctx) => {
    const { pid, stdout, ended } = await startListener(await execScene(ctx, identity));
    const names = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGWINCH', 'SIGCONT', 'SIGXCPU'] as const;
    const numbers = [...names.map((name) => constants.signals[name]), realTime];
    for (const [place, number] of numbers.entries()) {
      process.kill(pid, number);
      await until(() => stdout().split('\n').length === place + 3);
    }
    process.kill(pid, 'SIGUSR2');
    expect((await ended).status).toBe(7);
    expect(stdout().trim().split('\n').slice(1)).toEqual([...names, 'SIGRTMIN', 'SIGUSR2']);
  });

  test.for([
    ['which sends it to the command, too', [], '1 1 1 7\n'],
    ['also where the command has left the process group', ['leave'], '0 0 1 7\n'],
  ] as const)('leaves what a terminal sends to the terminal, %s', async ([, args, counts], ctx) => {
    const made = await execScene(ctx, identity);
    writeFileSync(join(made.root, 'listener.py'), listener, { mode: 0o644 });
    // The terminal echoes a key when it has sent its signal, and with a signal drops what was not read yet.
    const typist = `
import os, pty, signal, sys
pid, terminal = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
said = b''
def wait_for(word):
    global said
    while word not in said: said += os.read(terminal, 4096)
wait_for(b'\\n')
for key, echo, name in (b'\\x03', b'^C', b'SIGINT'), (b'\\x1c', b'^\\\\', b'SIGQUIT'):
    os.write(terminal, key)
    wait_for(echo if sys.argv[-1] == 'leave' else name)
for name in 'SIGTERM', 'SIGUSR2':
    os.kill(pid, getattr(signal, name))
    wait_for(name.encode())
status = os.WEXITSTATUS(os.waitpid(pid, 0)[1])
print(said.count(b'SIGINT'), said.count(b'SIGQUIT'), said.count(b'SIGTERM'), status)
`;
    const line = [process.execPath, shoalProgram, 'exec', 'image.shoal', '--', 'python3', 'listener.py', ...args];
    expect(execFileSync('python3', ['-c', typist, ...line], { cwd: made.root, encoding: 'utf8', ...identity })).toBe(
      counts,
    );
  });

  test('stops with the command on Ctrl-Z, and goes on with it', async (ctx) => {
    const made = await execScene(ctx, identity);
    writeFileSync(join(made.root, 'listener.py'), listener, { mode: 0o644 });
    // As a shell does: a process group within its session, signalled as a whole.
    const shell = `
import os, signal, subprocess, sys
job = subprocess.Popen(sys.argv[1:], preexec_fn=os.setpgrp, stdout=subprocess.PIPE)
command = int(job.stdout.readline())
def state(): return open(f'/proc/{command}/stat').read().rsplit(')', 1)[1].split()[0]
os.killpg(job.pid, signal.SIGTSTP)
print(os.WIFSTOPPED(os.waitpid(job.pid, os.WUNTRACED)[1]))
while state() != 'T': pass
os.killpg(job.pid, signal.SIGCONT)
while state() == 'T': pass
os.kill(job.pid, signal.SIGUSR2)
print(job.wait())
`;
    const line = [process.execPath, shoalProgram, 'exec', 'image.shoal', '--', 'python3', 'listener.py'];
    const told = execFileSync('python3', ['-c', shell, ...line], { cwd: made.root, encoding: 'utf8', ...identity });
    expect(told).toBe('True\n7\n');
  });

  test('is killed, and nothing of it and its command is left', async (ctx) => {
    const made = await execScene(ctx, identity);
    const { pid, command, ended } = await startListener(made);
    expect(made.isMountedAnywhere()).toBe(true);
    process.kill(pid, 'SIGKILL');
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
    await until(() => !isRunning(command) && !made.isMountedAnywhere());
  });

  test('ends by SIGKILL where its command is killed, and leaves nothing', async (ctx) => {
    const made = await execScene(ctx, identity);
    const { command, ended } = await startListener(made);
    process.kill(command, 'SIGKILL');
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
    await until(() => !made.isMountedAnywhere());
  });

  test('leaves nothing where both are killed at once', async (ctx) => {
    const made = await execScene(ctx, identity);
    const { pid, command, ended } = await startListener(made);
    process.kill(-pid, 'SIGKILL');
    await ended;
    await until(() => !isRunning(command) && !made.isMountedAnywhere());
  });
});

test('a terminal stays as the command left it', async (ctx) => {
  const made = await execScene(ctx);
  const typist = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0: os.execvp('sh', ['sh', '-c', '"$@"; stty -a', *sys.argv])
said = b''
try:
    while True: said += os.read(terminal, 4096)
except OSError: pass
os.waitpid(pid, 0)
print(said.decode())
`;
  const line = [process.execPath, shoalProgram, 'exec', 'image.shoal', '--', 'stty', '-echo', 'columns', '77'];
  const said = execFileSync('python3', ['-c', typist, ...line], { cwd: made.root, encoding: 'utf8' });
  expect(said).toMatch(/columns 77;.* -echo /s);
});

test('is killed at any moment of its start without a command or a mount that stays', async (ctx) => {
  const made = await execScene(ctx);
  const line = [process.execPath, shoalProgram, 'exec', made.image, '--'];
  const kill = `
import subprocess, sys, time
started = time.monotonic()
subprocess.run([*sys.argv[1:], 'true'])
lasts = time.monotonic() - started
for place in range(20):
    child = subprocess.Popen([*sys.argv[1:], 'tail', '-f', sys.argv[-2]])
    time.sleep(lasts * 1.2 * place / 20)
    child.kill()
    child.wait()
`;
  execFileSync('python3', ['-c', kill, ...line], { cwd: made.root });
  const commands = () => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
  await until(() => !commands().includes(`tail -f ${made.image}`) && !made.isMountedAnywhere());
  expect(commands()).not.toContain(`tail -f ${made.image}`);
});

test('what the command leaves in the background loses the files when the command ends', async (ctx) => {
  const made = await execScene(ctx);
  const answer = join(made.root, 'answer');
  execFileSync('mkfifo', [join(made.root, 'gate')]);
  const script = `(read line < gate; cat mounted/hello; echo "ended $?") > answer 2>&1 & echo started`;
  expect(made.run(['image.shoal:mounted', '--', 'sh', '-c', script]).stdout.toString()).toBe('started\n');
  writeFileSync(join(made.root, 'gate'), 'go\n');
  await until(() => existsSync(answer) && readFileSync(answer, 'utf8').includes('ended'));
  expect(readFileSync(answer, 'utf8')).toMatch(/not connected\nended 1\n$/);
  await until(() => !made.isMountedAnywhere());
});
