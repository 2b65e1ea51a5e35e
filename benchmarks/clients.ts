import { fileURLToPath } from 'node:url';
import { type Command, runCommand } from './run-command.ts';

export interface ClientResult {
  readonly operations: number;
  readonly bytes: number;
  readonly seconds: number;
}

const root = fileURLToPath(new URL('..', import.meta.url));

/** Builds the programs of benchmarks/native, and the model of slow storage. */
export function buildClients(): void {
  runCommand(['make', '-C', `${root}native`, '--no-print-directory', 'benchmarks']);
}

export function clientProgram(name: 'read_client' | 'compare_client' | 'memory_client' | 'slow_storage'): string {
  return `${root}build/release/${name}`;
}

/** Bytes, see benchmarks/native/memory_client.cc. */
export interface PeakMemory {
  /** The most that the process of a command had resident. */
  readonly peak: number;
  /** The same without pages of files that it mapped. */
  readonly private: number;
}

export function peakMemory(command: Command): PeakMemory {
  return JSON.parse(runCommand([clientProgram('memory_client'), ...command]));
}

/** Runs the client of all mounts, see benchmarks/native/read_client.cc, in a process of its own. */
export function readClient(...options: readonly string[]): ClientResult {
  return JSON.parse(runCommand([clientProgram('read_client'), ...options]));
}
