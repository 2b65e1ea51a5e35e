import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shoalProgram } from '../../support/run-shoal.ts';

/** How a call goes wrong: see fail_call.cc. */
export type Fault = 'kill' | 'torn' | 'EIO' | 'ENOSPC' | 'EDQUOT';

export interface RunEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

let library: string | undefined;

/** fail_call.cc, compiled. */
function failingCalls(): string {
  if (library !== undefined) return library;
  const directory = mkdtempSync(join(tmpdir(), 'shoal-faults-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  library = join(directory, 'fail_call.so');
  const source = join(import.meta.dirname, 'fail_call.cc');
  execFileSync('c++', ['-std=c++17', '-O1', '-shared', '-fPIC', '-o', library, source, '-ldl']);
  return library;
}

export interface Failing {
  /** Calls that change what lies below here count. */
  readonly below: string;
  /** Number of the call, from 1; none: they are only listed. */
  readonly at?: number;
  readonly fault?: Fault;
  /** Where the calls are listed. */
  readonly log?: string;
}

/** Runs `shoal` with a fault in one of its calls. */
export async function runFailing(options: readonly string[], failing: Failing): Promise<RunEnd> {
  return await run(options, {
    LD_PRELOAD: failingCalls(),
    SHOAL_FAIL_BELOW: failing.below,
    ...(failing.at !== undefined && { SHOAL_FAIL_AT: String(failing.at) }),
    ...(failing.fault !== undefined && { SHOAL_FAIL_WITH: failing.fault }),
    ...(failing.log !== undefined && { SHOAL_FAIL_LOG: failing.log }),
  });
}

export async function run(options: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<RunEnd> {
  const child = spawn(process.execPath, [shoalProgram, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
    });
  }
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { status, signal, ...text };
}

/** The calls that a run makes, in order. */
export async function callsOf(options: readonly string[], below: string, log: string): Promise<string[]> {
  const { status, stderr } = await runFailing(options, { below, log });
  if (status !== 0) throw new Error(`the run without a fault failed: ${stderr}`);
  return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
}
