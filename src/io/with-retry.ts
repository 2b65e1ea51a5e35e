import { isShoalError } from '../base/errors.ts';
import type { ByteSource } from './byte-source.ts';
import { systemCode } from './system-error.ts';

/** What a network filesystem answers while a server fails over. */
const passing = new Set(['EINTR', 'EAGAIN', 'EIO', 'ESTALE', 'ETIMEDOUT']);
/** Milliseconds before each further try. */
const pauses = [10, 100, 1000];

/** `source`, whose reads are tried again, with pauses that block, when they fail in a way that may pass. */
export function withRetry(source: ByteSource, wait: (milliseconds: number) => void = sleep): ByteSource {
  return {
    path: source.path,
    length: source.length,
    read(offset, into) {
      for (let tries = 0; ; tries++) {
        try {
          source.read(offset, into);
          return;
        } catch (error) {
          const passes = isShoalError(error) && passing.has(systemCode(error.cause) ?? '');
          if (!passes || tries === pauses.length) throw error;
          wait(pauses[tries]);
        }
      }
    },
    close: () => source.close(),
  };
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
