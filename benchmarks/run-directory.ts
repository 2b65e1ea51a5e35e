import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

/** An empty directory of this run below `work`. What killed runs left there, gigabytes and mounts, goes. */
export function makeRunDirectory(work: string): string {
  mkdirSync(work, { recursive: true });
  for (const name of readdirSync(work)) {
    const owner = /^run-(\d+)-/.exec(name)?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) remove(join(work, name));
  }
  return mkdtempSync(join(work, `run-${process.pid}-`));
}

function remove(directory: string): void {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  for (const at of mounts.map((line) => line.split(' ')[4] ?? '').filter((each) => each.startsWith(`${directory}/`))) {
    runCommand(process.getuid?.() === 0 ? ['umount', '-l', at] : ['fusermount3', '-u', '-z', at]);
  }
  rmSync(directory, { recursive: true, force: true });
}
