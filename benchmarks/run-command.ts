import { spawnSync } from 'node:child_process';

export type Command = readonly [string, ...string[]];

/** Runs a command to its end and returns what it printed; throws with its last words where it fails. */
export function runCommand([program, ...options]: Command): string {
  const result = spawnSync(program, options, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    const lastWords = result.stderr.trim().split('\n').slice(-3).join(' / ');
    throw new Error(`${program} ended with ${result.status ?? result.signal}: ${lastWords}`);
  }
  return result.stdout;
}

/** Seconds that a command takes, from its start to its end. */
export function timeCommand(command: Command): number {
  const started = process.hrtime.bigint();
  // What it prints goes nowhere: a list of 100 000 names must not be timed by the pipe.
  const result = spawnSync(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (result.error) throw result.error;
  if (result.status !== 0)
    throw new Error(`${command[0]} ended with ${result.status ?? result.signal}: ${result.stderr.trim()}`);
  return seconds;
}

/** Whether a program is installed. */
export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v "$1"`, 'sh', program], { stdio: 'ignore' }).status === 0;
}
