import { readdirSync, readFileSync } from 'node:fs';

/** MiB that the process has for itself. Pages of files that it mapped, as those of an index, are the kernel's, which drops them when it needs room. */
export function privateMemory(process: number | undefined): number {
  const rollup = readFileSync(`/proc/${process}/smaps_rollup`, 'utf8');
  return Number(/^Anonymous: +(\d+) kB/m.exec(rollup)?.[1] ?? Number.NaN) / 1024;
}

export function openDescriptors(process: number): number {
  return readdirSync(`/proc/${process}/fd`).length;
}

/** The letter of proc(5): R, S, D (waits and cannot be killed), Z; undefined where there is no such process. */
export function processState(process: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${process}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0];
  } catch {
    return undefined;
  }
}

/** Numbers of all processes that wait and cannot be killed at this moment. */
export function blockedProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((process) => processState(process) === 'D');
}
