import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { runCommand } from './run-command.ts';

export const isRoot = process.getuid?.() === 0;

/** Forgets names and attributes and keeps content, as on a node whose first process asks. Needs root; says whether it was done. */
export function dropDentries(): boolean {
  return drop('2');
}

/** Forgets everything that was read from storage. Needs root; says whether it was done. */
export function dropEverything(): boolean {
  return drop('3');
}

/** Reads a file, so that its content is in the page cache. */
export function warm(path: string): void {
  const file = openSync(path, 'r');
  const buffer = Buffer.allocUnsafe(1 << 20);
  while (readSync(file, buffer) > 0);
  closeSync(file);
}

/** Waits until what was written before is on storage, so that the next trial does not pay for it. */
export function settle(): void {
  runCommand(['sync']);
}

function drop(what: '2' | '3'): boolean {
  if (!isRoot) return false;
  settle();
  try {
    writeFileSync('/proc/sys/vm/drop_caches', what);
    return true;
  } catch {
    return false; // a container without the right
  }
}
