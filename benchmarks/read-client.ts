import { fileURLToPath } from 'node:url';
import { runCommand } from './run-command.ts';

export interface ClientResult {
  readonly operations: number;
  readonly bytes: number;
  readonly seconds: number;
}

const root = fileURLToPath(new URL('..', import.meta.url));

/** Builds the client of all mounts; see benchmarks/native/read_client.cc. */
export function buildReadClient(): void {
  runCommand(['make', '-C', `${root}native`, '--no-print-directory', 'benchmarks']);
}

/** Runs the client in a process of its own. */
export function readClient(...options: readonly string[]): ClientResult {
  return JSON.parse(runCommand([`${root}build/release/read_client`, ...options]));
}
