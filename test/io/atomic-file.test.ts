import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FileWriter, writeFileAtomically, writeNewFile } from '../../src/io/atomic-file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'shoal-atomic-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const path = (name: string) => Buffer.from(join(directory, name));
const parts = [Buffer.from('one '), new Uint8Array(), Buffer.from('two')];
const write = (file: FileWriter) => file.append(parts);

it('writes a file in parts and leaves nothing beside it', async () => {
  await writeFileAtomically(path('file'), write, { replace: false });
  expect(readFileSync(path('file'), 'utf8')).toBe('one two');
  expect(readdirSync(directory)).toEqual(['file']);
});

it('writes each part before the next one is asked for, and the beginning last', async () => {
  const result = await writeNewFile(path('file'), async (file) => {
    const reused = Buffer.alloc(4);
    await file.append(
      (function* () {
        for (const text of ['????', 'one ', 'two ']) {
          reused.write(text);
          yield reused;
        }
      })(),
    );
    await file.replaceHead(Buffer.from('head'));
    await file.append([Buffer.from('end')]);
    return 7;
  });
  expect(result).toBe(7);
  expect(readFileSync(path('file'), 'utf8')).toBe('headone two end');
});

it('leaves nothing where it cannot be written whole, and tells why', async () => {
  const reason = new Error('no more');
  const failing = async (file: FileWriter) => {
    await file.append(parts);
    throw reason;
  };
  await expect(writeNewFile(path('file'), failing)).rejects.toBe(reason);
  await expect(writeFileAtomically(path('file'), failing, { replace: true })).rejects.toBe(reason);
  expect(readdirSync(directory)).toEqual([]);
});

it('takes any bytes as a name', async () => {
  const name = Buffer.concat([path(''), Buffer.from([0xff, 0x0a])]);
  await writeFileAtomically(name, write, { replace: false });
  expect(readFileSync(name, 'utf8')).toBe('one two');
});

it('replaces a file only where it is told to', async () => {
  writeFileSync(path('file'), 'before');
  await expect(writeFileAtomically(path('file'), write, { replace: false })).rejects.toMatchObject({
    code: 'exists',
    path: join(directory, 'file'),
  });
  expect(readFileSync(path('file'), 'utf8')).toBe('before');
  expect(readdirSync(directory)).toEqual(['file']);
  await writeFileAtomically(path('file'), write, { replace: true });
  expect(readFileSync(path('file'), 'utf8')).toBe('one two');
  expect(readdirSync(directory)).toEqual(['file']);
});

it('does not write over a file in the way of the temporary one', async () => {
  writeFileSync(path('file.partial'), 'of someone else');
  await expect(
    writeFileAtomically(path('file'), write, { replace: true, temporary: path('file.partial') }),
  ).rejects.toMatchObject({ code: 'exists' });
  expect(readFileSync(path('file.partial'), 'utf8')).toBe('of someone else');
  expect(readdirSync(directory)).toEqual(['file.partial']);
});

it('says which directory is missing', async () => {
  await expect(writeNewFile(path('no/file'), write)).rejects.toMatchObject({
    code: 'missing',
    path: join(directory, 'no/file'),
  });
});
