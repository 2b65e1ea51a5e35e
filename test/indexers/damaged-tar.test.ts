import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { isShoalError } from '../../src/base/errors.ts';
import { indexArchive } from '../../src/indexers/index-archive.ts';
import { nativeProgram } from '../support/native-programs.ts';
import { run, scratchDirectory } from './indexed-tar.ts';
import { base256, end, file, header, octal, padded, pax, paxText } from './tar-blocks.ts';

const scratch = scratchDirectory();
let count = 0;

async function outcome(...parts: readonly (Buffer | string)[]): Promise<string> {
  const path = join(scratch, `${count++}.tar`);
  writeFileSync(path, Buffer.concat(parts.map((part) => Buffer.from(part))));
  return outcomeOf(path);
}

/** `ok ENTRIES`, or code and offset of the error. */
async function outcomeOf(path: string): Promise<string> {
  try {
    const { entries } = await indexArchive(Buffer.from(path));
    return `ok ${entries}`;
  } catch (error) {
    if (!isShoalError(error)) throw error;
    expect(error.path).toBe(path);
    return `${error.code} at ${error.offset}`;
  }
}

describe('what is no uncompressed tar is told by name', () => {
  test.for([
    ['gzip', 'gzip -c'],
    ['zstd', 'zstd -qc'],
    ['xz', 'xz -c'],
    ['bzip2', 'bzip2 -c'],
  ] as const)('compressed with %s', async ([name, command], ctx) => {
    const path = join(scratch, `compressed-${name}.tar`);
    try {
      execFileSync('sh', ['-c', `tar -c -C / etc/hostname 2>/dev/null | ${command} > "$0"`, path], { stdio: 'pipe' });
    } catch {
      ctx.skip(`${name} is not installed`);
    }
    if (readFileSync(path).length === 0) ctx.skip(`${name} is not installed`);
    await expect(indexArchive(Buffer.from(path))).rejects.toMatchObject({
      code: 'unsupported',
      message: `expected an uncompressed tar, found a ${name}-compressed file; only uncompressed tar files can be indexed in place: decompress it first`,
    });
  });

  test('a zip archive, an index, text, an empty file, a directory, nothing', async () => {
    expect(await outcome('PK\x03\x04', Buffer.alloc(1000))).toBe('unsupported at 0');
    expect(await outcome(Buffer.from('\x89SHOAL\r\n', 'latin1'), Buffer.alloc(4096))).toBe('unsupported at 0');
    expect(await outcome('just some text\n'.repeat(100))).toBe('malformed at 0');
    expect(await outcome('short')).toBe('malformed at 0');
    expect(await outcome('')).toBe('malformed at 0');
    await expect(indexArchive(Buffer.from(scratch))).rejects.toMatchObject({ code: 'unsupported' });
    await expect(indexArchive(Buffer.from(join(scratch, 'nothing')))).rejects.toMatchObject({ code: 'missing' });
  });
});

describe('the end of an archive', () => {
  const member = file('a', 'content');
  test('is two blocks of zeros, one at the end of the file, or the end of the file', async () => {
    expect(await outcome(member, end, 'whatever follows')).toBe('ok 2');
    expect(await outcome(member, Buffer.alloc(512))).toBe('ok 2');
    expect(await outcome(member)).toBe('ok 2');
    expect(await outcome(member.subarray(0, 519))).toBe('ok 2');
    expect(await outcome(Buffer.alloc(10240))).toBe('ok 1');
  });

  test('is told where one block of zeros stands between members, as tar stops there', async () => {
    const path = join(scratch, 'lone.tar');
    writeFileSync(path, Buffer.concat([member, Buffer.alloc(512), file('b', 'lost'), end]));
    const { entries, skipped } = await indexArchive(Buffer.from(path));
    expect(entries).toBe(2);
    expect(skipped.map(({ message }) => message)).toEqual([
      'what stands behind a single block of zeros at offset 1024 was left out, as tar does',
    ]);
  });
});

describe('damage is told with its offset', () => {
  test('of headers and of data that is missing', async () => {
    const damaged = file('b', 'x');
    damaged[3] = 1;
    expect(await outcome(file('a', 'x'), damaged, end)).toBe('checksum at 1024');
    expect(await outcome(file('a', 'x'), header({ name: 'b', size: 513 }), Buffer.alloc(512))).toBe(
      'truncated at 1024',
    );
    expect(await outcome(file('a', 'x'), Buffer.alloc(100, 1))).toBe('truncated at 1024');
    expect(await outcome(pax({ path: 'p' }), end)).toBe('truncated at 1024');
    expect(await outcome(pax({ path: 'p' }))).toBe('truncated at 1024');
  });

  test('of numbers that are none, negative, or too large', async () => {
    expect(await outcome(header({ name: 'a', size: Buffer.from('12x45') }), end)).toBe('malformed at 0');
    expect(await outcome(header({ name: 'a', size: base256(-1n, 12) }), end)).toBe('malformed at 0');
    expect(await outcome(header({ name: 'a', size: base256(1n << 90n, 12) }), end)).toBe('malformed at 0');
    expect(await outcome(header({ name: 'a', size: base256((1n << 63n) - 1n, 12) }), end)).toBe('truncated at 0');
    expect(await outcome(header({ name: 'a', mtime: base256(1n << 60n, 12) }), end)).toBe('malformed at 0');
    expect(await outcome(header({ name: 'a', size: Buffer.from('77777777777777') }), end)).toBe('truncated at 0');
  });

  test('of extended headers', async () => {
    const after = (records: string) => outcome(paxText(records), file('a', 'x'), end);
    for (const records of [
      'garbage',
      '5 a=b\n',
      '7 a=b\n',
      '0 a=b\n',
      '-6 a=b\n',
      '99999999999999999999 a=b\n',
      '6 =bc\n',
      '6 abc\n',
      '15 size=-12345\n',
      '30 size=99999999999999999999\n\n',
      '18 mtime=tomorrow\n',
      '18 uid=9999999999\n',
      '20 LIBARCHIVE.xattr\n',
    ]) {
      expect(await after(records), records).toMatch(/^malformed at (0|512|1024)$/);
    }
    expect(await outcome(header({ name: 'x', type: 'x', size: 2 ** 32 }), end)).toBe('malformed at 0');
    expect(await outcome(header({ name: 'x', type: 'L', size: 10_000_000 }), end)).toBe('truncated at 512');
    expect(await outcome(pax({ size: '512' }, 'g'), file('a', 'x'), end)).toBe('unsupported at 512');
  });

  test('of sparse maps', async () => {
    const sparse = (records: Record<string, string>, data = '', size = data.length) =>
      outcome(pax(records), header({ name: 's', size }), padded(data), end);
    const one = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '1000' };
    expect(await sparse(one, `${padded('1\n0\n4\n').toString()}data`)).toBe('ok 2');
    for (const map of [
      '9999999999\n',
      '1\n0\n',
      '1\n0\n5000\n',
      '2\n10\n5\n3\n5\n',
      'x\n',
      '\n',
      '1\n-1\n4\n',
      '1\n0\n900\n',
    ]) {
      expect(await sparse(one, padded(map).toString()), map).toMatch(/^malformed at/);
    }
    const text = { 'GNU.sparse.size': '1000', 'GNU.sparse.numblocks': '1', 'GNU.sparse.map': '0,4' };
    expect(await sparse(text, 'data')).toBe('ok 2');
    expect(await sparse({ ...text, 'GNU.sparse.numblocks': '4000000000' }, 'data')).toBe('malformed at 1024');
    expect(await sparse({ ...text, 'GNU.sparse.map': '0,4,5,6' }, 'data')).toBe('malformed at 1024');
    expect(await sparse({ ...text, 'GNU.sparse.size': '3' }, 'data')).toBe('malformed at 1024');
    expect(await sparse({ ...one, 'GNU.sparse.major': '2' }, 'data')).toBe('unsupported at 1024');
    const old = (realSize: Buffer, more = 0) =>
      header({
        name: 's',
        type: 'S',
        magic: 'ustar  \0',
        size: 4,
        patches: { 386: Buffer.from(`${octal(0, 11)} ${octal(4, 11)} `), 482: Buffer.from([more]), 483: realSize },
      });
    expect(await outcome(old(Buffer.from(octal(1000, 11))), padded('data'), end)).toBe('ok 2');
    expect(await outcome(old(base256(-5n, 12)), padded('data'), end)).toBe('malformed at 0');
    expect(await outcome(old(base256(1n << 62n, 12)), padded('data'), end)).toBe('unsupported at 0');
    expect(await outcome(old(Buffer.from(octal(1000, 11)), 1))).toBe('truncated at 512');
  });

  test('of kinds that are not supported', async () => {
    expect(await outcome(header({ name: 'a', type: 'M' }), end)).toBe('unsupported at 0');
    expect(await outcome(header({ name: 'a', type: 'N' }), end)).toBe('unsupported at 0');
    expect(await outcome(header({ name: 'a', type: 'S' }), end)).toBe('unsupported at 0');
    expect(await outcome(file('a', 'of a kind that nobody knows', { type: 'Q' }), end)).toBe('ok 2');
  });
});

// The first to ask builds the native programs.
describe('no change of bytes makes the scanner crash, hang or point outside of the archive', {
  timeout: 600_000,
}, () => {
  const archives = ['posix', 'gnu'];
  beforeAll(() => {
    mkdirSync(join(scratch, 'tree/d'), { recursive: true });
    const script =
      'cd "$0/tree"; echo a > a; ln a d/b; ln -s a l; mkfifo p; truncate -s 1M s; printf x >> s; touch -d 1960-01-01 d';
    execFileSync('sh', ['-c', script, scratch]);
    for (const format of archives) {
      run(
        'tar',
        [`--format=${format}`, '-S', '-b1', '-cf', join(scratch, `${format}-flips.tar`), '-C', scratch, 'tree'],
        '/',
      );
    }
  });

  test.for(archives)('%s, under sanitizers: thousands of changes, and cut at each block', (format, ctx) => {
    const program = nativeProgram('tar_scan');
    if ('missing' in program) return ctx.skip(program.missing);
    const archive = join(scratch, `${format}-flips.tar`);
    const flips = execFileSync(program.path, ['--flips', archive, '7', '4000'], { encoding: 'utf8' });
    expect(flips).toMatch(/^checksum [0-9]{3,}$/m);
    expect(flips).toMatch(/^ok [0-9]{3,}$/m);
    const cuts = execFileSync(program.path, ['--cuts', archive], { encoding: 'utf8' });
    expect(cuts).toMatch(/^truncated [0-9]+$/m);
  });
});
