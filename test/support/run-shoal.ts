import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The command as users have it: `npm test` builds it first. */
export const shoalProgram = fileURLToPath(new URL('../../bin/shoal.js', import.meta.url));

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Buffer;
}

/** Runs `shoal` to its end. */
export function runShoal(options: readonly string[], spawnOptions: SpawnSyncOptions = {}): Ran {
  return ran(spawnSync(process.execPath, [shoalProgram, ...options], withDefaults(spawnOptions)));
}

/** Runs a line of shell in which `shoal` is the command: for arguments that are no UTF-8, and for pipes. */
export function runShell(line: string, spawnOptions: SpawnSyncOptions = {}): Ran {
  const script = `shoal() { "$NODE" "$PROGRAM" "$@"; }\n${line}`;
  const env = { ...process.env, NODE: process.execPath, PROGRAM: shoalProgram };
  return ran(spawnSync('bash', ['-c', script], { env, ...withDefaults(spawnOptions) }));
}

/** The JSON documents of an output, one a line. */
export function documents(output: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function withDefaults(options: SpawnSyncOptions): SpawnSyncOptions {
  return { maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'], ...options };
}

function ran(result: ReturnType<typeof spawnSync>): Ran {
  if (result.error) throw result.error;
  const stdoutBytes = Buffer.from(result.stdout ?? '');
  return {
    status: result.status,
    stdout: stdoutBytes.toString(),
    stderr: (result.stderr ?? '').toString(),
    stdoutBytes,
  };
}
