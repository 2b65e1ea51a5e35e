import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { shoalProgram } from '../support/run-shoal.ts';

/** `shoal pack` as a process that a test stops, or kills, at a moment of its choice. */
export interface PackCommand {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<CommandEnd>;
}

export interface CommandEnd {
  /** Null if a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function startCommand(directory: string, ...options: readonly string[]): PackCommand {
  const child = spawn(process.execPath, [shoalProgram, 'pack', ...options], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.pid === undefined) throw new Error('the command did not start');
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
    });
  }
  const ended = once(child, 'close').then(([status]: (number | null)[]) => ({ status: status ?? null, ...text }));
  return { pid: child.pid, kill: (signal) => void child.kill(signal), ended };
}

/** Looks again and again without a pause, because what it waits for may be there for microseconds. False if the process ended before. */
export function spinUntil({ pid }: PackCommand, condition: () => boolean): boolean {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    for (let looks = 0; looks < 50; looks++) if (condition()) return true;
    // Nobody waits for the process while we spin, so its id stays its own.
    if (states(pid).every(isDead)) return condition();
  }
  throw new Error('waited in vain');
}

/** Stops the process and returns when none of its threads runs; false if it had ended. */
export function freeze(command: PackCommand): boolean {
  command.kill('SIGSTOP');
  spinUntil(command, () => states(command.pid).every((state) => state === 'T' || isDead(state)));
  return !states(command.pid).every(isDead);
}

/** Kills the process and returns when it is dead, though its parent, who has not asked for it yet, keeps its id in use. */
export function killUnawaited(command: PackCommand): void {
  command.kill('SIGKILL');
  spinUntil(command, () => states(command.pid).every(isDead));
}

/** The state of each thread, as proc_pid_stat(5) tells it. */
function states(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    try {
      const line = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
      return line.slice(line.lastIndexOf(')') + 2)[0] ?? 'X';
    } catch {
      return 'X';
    }
  });
}

function isDead(state: string): boolean {
  return state === 'Z' || state === 'X';
}
