import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** Of a build from nothing, on a busy machine of two processors: for the hook that asks first. */
export const nativeBuildTimeout = 900_000;

export type Sanitizer = 'asan' | 'tsan';

/** What the compiler must be able to do, and the target of native/Makefile. */
const modes = {
  asan: { flags: '-fsanitize=address,undefined', target: 'programs' },
  tsan: { flags: '-fsanitize=thread', target: 'threaded' },
};

const built = new Map<Sanitizer, { readonly missing?: string }>();

/**
 * Builds the programs of test/native with AddressSanitizer and UBSan, or those in which threads race with ThreadSanitizer, and returns the path of
 * one. Several test files may ask at the same time: one builds, the others wait. Returns a reason instead where the compiler has no sanitizers.
 */
export function nativeProgram(
  name: string,
  mode: Sanitizer = 'asan',
): { readonly path: string } | { readonly missing: string } {
  const known = built.get(mode) ?? buildPrograms(mode);
  built.set(mode, known);
  return known.missing === undefined ? { path: join(root, 'build', mode, name) } : { missing: known.missing };
}

function buildPrograms(mode: Sanitizer): { readonly missing?: string } {
  const { flags, target } = modes[mode];
  const probe = spawnSync('c++', [flags, '-x', 'c++', '-', '-o', '/dev/null'], { input: 'int main() {}' });
  if (probe.status !== 0) return { missing: `the compiler c++ cannot build with ${flags}` };
  mkdirSync(join(root, 'build'), { recursive: true });
  const make = ['make', '-s', '-C', join(root, 'native'), '-j2', `MODE=${mode}`, target];
  execFileSync('flock', [join(root, 'build', `${mode}.lock`), ...make], { stdio: ['ignore', 'ignore', 'inherit'] });
  return {};
}
