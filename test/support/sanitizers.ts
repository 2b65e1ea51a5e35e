import { spawnSync } from 'node:child_process';

/** Older ThreadSanitizers do not start where the kernel lays out memory with much randomness (vm.mmap_rnd_bits). */
const fixedLayout = ['setarch', '-R'];

/** Without arguments such a program only says that it wants some. That the sanitizer is in it is seen by what it says when it is asked for help. */
function starts(command: readonly string[]): boolean {
  const [program, ...args] = command;
  const env = { ...process.env, ASAN_OPTIONS: 'help=1', TSAN_OPTIONS: 'help=1' };
  const { status, stdout, stderr } = spawnSync(program as string, args, { env, encoding: 'utf8' });
  if (status !== 2) return false;
  if (/Available flags for (Address|Thread)Sanitizer/.test(stdout + stderr)) return true;
  throw new Error(`expected a sanitizer in ${command.join(' ')}, found none`);
}

export function launcher(program: string): string[] {
  return starts([program]) ? [program] : [...fixedLayout, program];
}

export function cannotRun(program: string): string | undefined {
  if (starts([program]) || starts([...fixedLayout, program])) return undefined;
  return 'the sanitizer does not start here, also not with setarch -R: set vm.mmap_rnd_bits to 28';
}
