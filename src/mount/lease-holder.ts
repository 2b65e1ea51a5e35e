import { readFileSync } from 'node:fs';
import { ShoalError } from '../base/errors.ts';

/** A process for as long as which a mount is to live. */
export interface LeaseHolder {
  readonly pid: number;
  /** When it started, as the kernel counts (field 22 of proc_pid_stat(5)); the process id may be given to another one later. */
  readonly started: string;
}

/** The running process `pid`. Throws `missing` if there is none. */
export function findLeaseHolder(pid: number): LeaseHolder {
  const started = startOf(pid);
  if (started === undefined) {
    throw new ShoalError('missing', `expected a running process ${pid} to hold the lease, found none`);
  }
  return { pid, started };
}

/** Whether a process has this id, seen from here. One that has ended and only waits for its parent to look does not run. */
export function isRunning(pid: number): boolean {
  return startOf(pid) !== undefined;
}

/** Whether it runs still, seen from this process: in another process id namespace the same number is somebody else. */
export function isRunningHolder(holder: LeaseHolder): boolean {
  return startOf(holder.pid) === holder.started;
}

/** Undefined where there is no such process, or it has ended. */
function startOf(pid: number): string | undefined {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name of the program, in parentheses, may hold anything; behind it stand fields 3 and on.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  const [state, threads, started] = [fields[3 - 3], fields[20 - 3], fields[22 - 3]];
  // A process whose first thread has ended before others looks like one that has ended, but for their number.
  const ended = state === 'X' || (state === 'Z' && Number(threads) <= 1);
  return ended ? undefined : started;
}
