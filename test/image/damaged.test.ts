import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { errorCodes, exitCode, ShoalError } from '../../src/base/errors.ts';
import { IndexReader } from '../../src/image/index-reader.ts';
import { openImage } from '../../src/image/open-image.ts';
import { base, baseIndex } from '../fixtures/base-image.ts';
import { damagedFiles } from '../fixtures/damage.ts';
import { MemorySource } from '../support/memory-source.ts';
import { nativeProgram } from '../support/native-programs.ts';
import { readEverything } from '../support/read-everything.ts';

const directory = join(import.meta.dirname, '../fixtures/damaged');
const names = readdirSync(directory).filter((name) => name.endsWith('.shoal'));

/** The code that a fixture's name begins with; the longest, for one that begins with another. */
function expectedCode(name: string): string {
  const codes = errorCodes.filter((code) => name.startsWith(`${code}-`) || name.startsWith(`${code}.`));
  return codes.sort((a, b) => b.length - a.length)[0] ?? 'none';
}

/** What reading the whole image throws: first the index, then the content of its files. */
function readImage(name: string): ShoalError | undefined {
  try {
    const image = openImage(join(directory, name));
    try {
      readEverything(image.index);
      for (let entry = 0; entry < image.index.entryCount; entry++) {
        if (image.index.get(entry).kind === 'file') for (const _ of image.file(image.index.get(entry)).stream());
      }
    } finally {
      image.close();
    }
  } catch (error) {
    if (error instanceof ShoalError) return error;
    throw error;
  }
  return undefined;
}

describe('the TypeScript reader', () => {
  it('reads the index that all damaged ones are made of', () => {
    expect(readEverything(new IndexReader(new MemorySource(baseIndex()))).length).toBeGreaterThan(30);
  });

  it.each(names)('tells what is wrong with %s', (name) => {
    const error = readImage(name);
    expect(error?.code).toBe(expectedCode(name));
    expect(error?.path).toMatch(/^\//);
    expect(error?.message).toMatch(/expected .*found |are not those that were packed/);
    if (error !== undefined && exitCode(error.code) === 3 && error.code !== 'wrong-volume')
      expect(error.offset).toBeTypeOf('number');
  });

  it('has a damaged image for each code that an image can give, and at least thirty', () => {
    const codes = new Set(names.map(expectedCode));
    expect([...codes].sort()).toEqual(
      ['checksum', 'malformed', 'missing', 'not-image', 'truncated', 'unsupported', 'version', 'wrong-volume'].sort(),
    );
    expect(names.length).toBeGreaterThan(30);
    expect([...damagedFiles().keys()].filter((name) => name.endsWith('.shoal')).sort()).toEqual(names.sort());
  });
});

describe('the C++ reader', () => {
  let walk: ReturnType<typeof nativeProgram>;
  beforeAll(() => {
    walk = nativeProgram('index_walk');
  }, 600_000);

  it('tells the same', (ctx) => {
    if ('missing' in walk) return ctx.skip(walk.missing);
    const walked = execFileSync(walk.path, names, { cwd: directory, encoding: 'utf8' }).trimEnd().split('\n');
    const read = nativeProgram('image_read');
    const told = names.map((name, i) => {
      if (!walked[i].startsWith('ok') || 'missing' in read) return `${name}: ${walked[i]}`;
      const wanted = [base.big, base.small, base.sparse].map((entry) => `${entry} 0 1000000\n`).join('');
      const answers = execFileSync(read.path, [join(directory, name)], { input: wanted, encoding: 'utf8' }).split('\n');
      const failed = answers.find((answer) => /^[a-z-]+ -?\d+ /.test(answer));
      return `${name}: ${failed?.split(' ')[0]}`;
    });
    expect(told).toEqual(names.map((name) => `${name}: ${expectedCode(name)}`));
  });

  it('takes damage anywhere, also under right checksums, for an error of damaged data or answers', (ctx) => {
    if ('missing' in walk) return ctx.skip(walk.missing);
    const scratch = mkdtempSync(join(tmpdir(), 'shoal-flips-'));
    const index = join(scratch, 'base.shoal');
    writeFileSync(index, baseIndex());
    for (const more of [[], ['--fix-checksums']]) {
      const counts = execFileSync(walk.path, ['--flips', index, '20250101', '3000', ...more], { encoding: 'utf8' });
      const told = [...counts.matchAll(/^(.*): (\d+)$/gm)].map(([, result, times]) => ({
        result,
        times: Number(times),
      }));
      expect(told.reduce((sum, { times }) => sum + times, 0)).toBe(3000);
      for (const { result } of told) {
        if (result.startsWith('ok ')) continue;
        const code = errorCodes.find((known) => known === result) ?? 'internal';
        expect(exitCode(code), result).toBe(3);
      }
    }
    rmSync(scratch, { recursive: true });
  });
});
