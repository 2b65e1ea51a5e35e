import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { IndexReader } from '../../src/image/index-reader.ts';
import type { NativeIndex } from '../../src/native/addon.ts';
import { baseIndex } from '../fixtures/base-image.ts';
import { arbitraryTree } from '../support/arbitrary-tree.ts';
import { encodeIndex } from '../support/encode-image.ts';
import { nativeAddon } from '../support/native.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'shoal-readers-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

it('give the same answers to the same questions', (ctx) => {
  const addon = nativeAddon(ctx);
  let count = 0;
  const compare = (bytes: Buffer) => {
    // The C++ reader maps the file until it is collected, so each index has one of its own.
    const path = Buffer.from(join(directory, `${count++}.shoal`));
    writeFileSync(path, bytes);
    const index = IndexReader.open(path);
    const native = addon.openIndex(path);
    expect(native.entries).toBe(index.entryCount);
    for (let number = 0; number < index.entryCount; number++) expectSame(index, native, number);
    index.close();
    rmSync(path);
  };
  compare(baseIndex());
  fc.assert(
    fc.property(arbitraryTree, (root) => compare(encodeIndex(root))),
    { numRuns: 60 },
  );
});

function expectSame(index: IndexReader, native: NativeIndex, number: number): void {
  const entry = index.get(number);
  const name = index.name(number);
  expect(native.name(number)).toEqual(name);
  expect(native.path(number)).toEqual(index.entryPath(number));
  const stat = native.stat(number);
  expect(stat.alias).toBe(entry.alias);
  if (number > 0) expect(native.lookup(index.parent(number), name)).toBe(number);
  if (entry.alias) {
    expect(stat.target).toBe(entry.target);
    return;
  }
  const { mode, uid, gid, nlink, seconds, nanoseconds, size, firstChild, childCount } = entry;
  expect(stat).toMatchObject({ mode, uid, gid, nlink, seconds, nanoseconds, size, firstChild, childCount });
  expect(native.xattrs(number)).toEqual(index.xattrs(entry));
  if (entry.kind === 'directory') {
    expect(native.lookup(number, Buffer.from('no such name'))).toBe(index.lookup(entry, Buffer.from('no such name')));
  }
  if (entry.kind === 'symlink') expect(native.linkTarget(number)).toEqual(index.linkTarget(entry));
  if (entry.kind === 'file') expect(native.extents(number)).toEqual(index.extents(entry));
}
