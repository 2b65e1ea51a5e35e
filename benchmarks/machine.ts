import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { isInstalled, runCommand } from './run-command.ts';

/** What a figure depends on, besides the code. */
export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly kernel: string;
  readonly system: string;
  readonly filesystem: string;
  readonly versions: Readonly<Record<string, string>>;
}

export function machineFacts(work: string): MachineFacts {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: release(),
    system: /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown',
    filesystem: runCommand(['stat', '--file-system', '--format=%T', work]).trim(),
    versions: {
      node: process.version,
      shoal: JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version,
      tar: firstVersion('tar', '--version'),
      mksquashfs: firstVersion('mksquashfs', '-version'),
      squashfuse: firstVersion('squashfuse_ll', '--help'),
      zstd: firstVersion('zstd', '--version'),
      fio: firstVersion('fio', '--version'),
    },
  };
}

function firstVersion(program: string, option: string): string {
  if (!isInstalled(program)) return 'not installed';
  const said = runCommand(['sh', '-c', '"$1" "$2" 2>&1 || true', 'sh', program, option]);
  return /\d+(\.\d+)+/.exec(said)?.[0] ?? 'unknown';
}
