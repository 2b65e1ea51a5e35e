import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** Of a build from nothing, on a busy machine of two processors: for the hook that asks first. */
export const nativeBuildTimeout = 900_000;

let built: { readonly missing?: string } | undefined;

/**
 * Builds the programs of test/native with AddressSanitizer and UBSan, and returns the path of one. Several test files may ask at the same
 * time: one builds, the others wait. Returns a reason instead where the compiler has no sanitizers.
 */
export function nativeProgram(name: string): { readonly path: string } | { readonly missing: string } {
  built ??= buildPrograms();
  return built.missing === undefined ? { path: join(root, 'build', 'asan', name) } : { missing: built.missing };
}

function buildPrograms(): { readonly missing?: string } {
  const probe = spawnSync('c++', ['-fsanitize=address,undefined', '-x', 'c++', '-', '-o', '/dev/null'], {
    input: 'int main() {}',
  });
  if (probe.status !== 0) return { missing: 'the compiler c++ cannot build with -fsanitize=address,undefined' };
  mkdirSync(join(root, 'build'), { recursive: true });
  const make = ['make', '-s', '-C', join(root, 'native'), '-j2', 'MODE=asan', 'programs'];
  execFileSync('flock', [join(root, 'build', 'asan.lock'), ...make], { stdio: ['ignore', 'ignore', 'inherit'] });
  return {};
}
