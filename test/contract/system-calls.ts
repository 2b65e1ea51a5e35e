import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** A call of system-calls.py: its name and arguments, paths as bytes. */
export type SystemCall = readonly [name: string, ...arguments: unknown[]];

/** What it gave, or the name of its error; neither where it gives nothing. */
export interface Answer {
  readonly value?: unknown;
  readonly error?: string;
}

const script = join(import.meta.dirname, 'system-calls.py');

/** Makes the calls one after the other in one process of its own, never in the one that may serve the mount. */
export function callSystem(calls: readonly SystemCall[]): Answer[] {
  const input = JSON.stringify(calls, (_, value) =>
    value?.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value,
  );
  const { status, stdout, stderr } = spawnSync('python3', [script], { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`system-calls.py failed: ${stderr}`);
  return JSON.parse(stdout) as Answer[];
}

/** The value of one call that must succeed. */
export function value<T>(...call: SystemCall): T {
  const [answer] = callSystem([call]);
  if (answer?.error !== undefined) throw new Error(`${call[0]}: ${answer.error}`);
  return answer?.value as T;
}
