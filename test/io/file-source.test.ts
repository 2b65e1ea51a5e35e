import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isShoalError, ShoalError } from '../../src/base/errors.ts';
import type { ByteSource } from '../../src/io/byte-source.ts';
import { openFileSource } from '../../src/io/file-source.ts';
import { withRetry } from '../../src/io/with-retry.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'shoal-source-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (name: string) => openFileSource(Buffer.from(join(directory, name)), 'not-image');
const failing = (...codes: Parameters<typeof isShoalError>[1][]) =>
  expect.toSatisfy((error) => isShoalError(error, ...codes));

describe('a file', () => {
  it('gives exactly the bytes that were asked for', () => {
    writeFileSync(join(directory, 'file'), 'abcdefgh');
    const source = open('file');
    const into = Buffer.alloc(3);
    source.read(2, into);
    expect(into.toString()).toBe('cde');
    expect(source.length).toBe(8);
    source.close();
  });

  it('that ends before the bytes asked for is an error with its place', () => {
    writeFileSync(join(directory, 'file'), 'abcdefgh');
    const source = open('file');
    truncateSync(join(directory, 'file'), 5);
    expect(() => source.read(4, Buffer.alloc(3))).toThrow(
      expect.objectContaining({ code: 'truncated', offset: 5, path: join(directory, 'file') }),
    );
    source.close();
  });

  it('that is not there, or is none, is refused without waiting', () => {
    execFileSync('mkfifo', [join(directory, 'fifo')]);
    expect(() => open('nothing')).toThrow(failing('missing'));
    expect(() => open('.')).toThrow(failing('not-image'));
    expect(() => open('fifo')).toThrow(failing('not-image'));
  });

  it('that may not be read is refused', (ctx) => {
    if (process.getuid?.() === 0) return ctx.skip('root may read everything');
    writeFileSync(join(directory, 'file'), '');
    chmodSync(join(directory, 'file'), 0);
    expect(() => open('file')).toThrow(failing('permission'));
  });
});

describe('a source with retries', () => {
  const failingSource = (failures: number, cause: Error): ByteSource & { tries: number } => ({
    path: 'x',
    length: 1,
    tries: 0,
    read(_, into) {
      if (this.tries++ < failures) throw new ShoalError('io', 'cannot read', { cause });
      into[0] = 42;
    },
    close() {},
  });

  it('reads again, after longer and longer pauses, what failed in a way that may pass', () => {
    const pauses: number[] = [];
    const source = failingSource(3, Object.assign(new Error(), { code: 'ESTALE' }));
    const into = Buffer.alloc(1);
    withRetry(source, (pause) => pauses.push(pause)).read(0, into);
    expect(into[0]).toBe(42);
    expect(pauses).toEqual([10, 100, 1000]);
  });

  it('gives up after three more tries, and at once where trying is of no use', () => {
    const stubborn = failingSource(9, Object.assign(new Error(), { code: 'EIO' }));
    expect(() => withRetry(stubborn, () => {}).read(0, Buffer.alloc(1))).toThrow(failing('io'));
    expect(stubborn.tries).toBe(4);
    const hopeless = failingSource(9, Object.assign(new Error(), { code: 'EISDIR' }));
    expect(() => withRetry(hopeless, () => {}).read(0, Buffer.alloc(1))).toThrow(failing('io'));
    expect(hopeless.tries).toBe(1);
  });
});
