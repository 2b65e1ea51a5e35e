import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { shoalProgram } from '../support/run-shoal.ts';
import { type ExecScene, execScene, type Identity, nobody, type Running } from './exec-scene.ts';
import { isRunning, until } from './scene.ts';

const identities: [string, Identity][] = [
  ['as whoever runs the tests', {}],
  ['as a user', nobody],
];

/** Says its process id, then each signal that it gets; SIGUSR2 ends it with status 7. */
const listener = `
import os, signal, sys
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

/** Starts the listener within an image. */
async function startListener(made: ExecScene): Promise<Running & { readonly command: number }> {
  const script = join(made.root, 'listener.py');
  writeFileSync(script, listener, { mode: 0o644 });
  const running = await made.start(['image.shoal:mounted', '--', 'python3', script]);
  return { ...running, command: Number(running.firstLine) };
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
    const { pid, ended } = await startListener(await execScene(ctx, identity));
    const sent = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGWINCH', 'SIGCONT', 'SIGXCPU'] as const;
    for (const name of sent) process.kill(pid, name);
    process.kill(pid, constants.signals.SIGUSR1);
    process.kill(pid, 34); // SIGRTMIN of the C library
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.kill(pid, 'SIGUSR2');
    const { status, stdout } = await ended;
    expect(status).toBe(7);
    const counts = new Map<string, number>();
    for (const name of stdout.trim().split('\n').slice(1)) counts.set(name, (counts.get(name) ?? 0) + 1);
    counts.delete('SIGUSR1'); // Sent twice: the kernel joins those that wait.
    expect(Object.fromEntries(counts)).toEqual({
      ...Object.fromEntries(sent.filter((name) => name !== 'SIGUSR1').map((name) => [name, 1])),
      SIGRTMIN: 1,
      SIGUSR2: 1,
    });
  });

  test('leaves what a terminal sends to the terminal, which sends it to the command, too', async (ctx) => {
    const made = await execScene(ctx, identity);
    writeFileSync(join(made.root, 'listener.py'), listener, { mode: 0o644 });
    const typist = `
import os, pty, signal, sys
pid, terminal = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
said = b''
def wait_for(word):
    global said
    while word not in said: said += os.read(terminal, 4096)
wait_for(b'\\n')
os.write(terminal, b'\\x03')
wait_for(b'SIGINT')
os.write(terminal, b'\\x1c')
wait_for(b'SIGQUIT')
os.kill(pid, signal.SIGTERM)
wait_for(b'SIGTERM')
os.kill(pid, signal.SIGUSR2)
wait_for(b'SIGUSR2')
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(said.count(b'SIGINT'), said.count(b'SIGQUIT'), said.count(b'SIGTERM'), status)
`;
    const line = [process.execPath, shoalProgram, 'exec', 'image.shoal', '--', 'python3', 'listener.py'];
    const counts = execFileSync('python3', ['-c', typist, ...line], { cwd: made.root, encoding: 'utf8', ...identity });
    expect(counts).toBe('1 1 1 7\n');
  });

  test('stops with the command on Ctrl-Z, and goes on with it', async (ctx) => {
    const made = await execScene(ctx, identity);
    const { pid, command, ended } = await startListener(made);
    const state = (process: number) => /^State:\s+(\S)/m.exec(readFileSync(`/proc/${process}/status`, 'utf8'))?.[1];
    process.kill(-pid, 'SIGTSTP');
    await until(() => state(pid) === 'T' && state(command) === 'T');
    process.kill(-pid, 'SIGCONT');
    await until(() => state(pid) !== 'T' && state(command) !== 'T');
    process.kill(pid, 'SIGUSR2');
    expect((await ended).status).toBe(7);
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

test('is killed at any moment of its start without a command or a mount that stays', async (ctx: TestContext) => {
  const made = await execScene(ctx);
  const marker = join(made.root, 'marker');
  const killed = `
import subprocess, sys, time
for tenths in range(0, 30):
    child = subprocess.Popen(sys.argv[2:], start_new_session=True)
    time.sleep(float(sys.argv[1]) * tenths / 30)
    child.kill()
    child.wait()
`;
  // Over about the time that a start takes.
  const started = performance.now();
  made.run(['image.shoal', '--', 'true']);
  const seconds = ((performance.now() - started) / 1000) * 1.2;
  const line = [process.execPath, shoalProgram, 'exec', made.image, '--', 'sh', '-c', `sleep 300 # ${made.root}`];
  execFileSync('python3', ['-c', killed, String(seconds), ...line], { cwd: made.root });
  const sleepers = () => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes(`sleep 300 # ${made.root}`);
  await until(() => !sleepers() && !made.isMountedAnywhere());
  expect(existsSync(marker)).toBe(false);
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
