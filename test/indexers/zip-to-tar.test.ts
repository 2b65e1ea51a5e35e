import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { extract } from 'tar-stream';
import { afterAll, describe, expect, test } from 'vitest';
import { ShoalError } from '../../src/base/errors.ts';
import { zipToTar } from '../../src/indexers/zip/zip-to-tar.ts';
import { scratchDirectory } from '../pack/pack-process.ts';
import { seededRandom } from '../support/random.ts';
import { extraField, type HandMadeEntry, makeZip } from './zip-bytes.ts';

const scratch = scratchDirectory();
afterAll(scratch.remove);

interface Member {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly content: string;
}

/** The tar that a zip is translated into. */
async function translate(zip: Buffer): Promise<Buffer> {
  const path = join(scratch.path, 'x.zip');
  writeFileSync(path, zip);
  const descriptor = openSync(path, 'r');
  const parts: Uint8Array[] = [];
  try {
    await zipToTar(descriptor, zip.length, { uid: 71, gid: 72 }, (bytes) => parts.push(Uint8Array.from(bytes)));
    return Buffer.concat(parts);
  } finally {
    closeSync(descriptor);
  }
}

/** The members as tar-stream reads them; a link's target is its content. */
async function members(zip: Buffer): Promise<Member[]> {
  const found: Member[] = [];
  const reader = extract();
  const done = (async () => {
    for await (const entry of reader) {
      const parts: Buffer[] = [];
      for await (const part of entry) parts.push(part as Buffer);
      const { name, type, mode = 0, uid = 0, gid = 0, mtime, linkname } = entry.header;
      const content = linkname || Buffer.concat(parts).toString();
      found.push({ name, type: String(type), mode, uid, gid, mtime: mtime?.getTime() ?? 0, content });
    }
  })();
  reader.end(await translate(zip));
  await done;
  return found;
}

async function member(entry: HandMadeEntry): Promise<Member> {
  const [found, more] = await members(makeZip([entry]));
  if (found === undefined || more !== undefined) throw new Error('expected one member');
  return found;
}

async function errorOf(zip: Buffer): Promise<ShoalError> {
  const outcome = await translate(zip).catch((error: unknown) => error);
  if (outcome instanceof ShoalError) return outcome;
  throw new Error('expected an error', { cause: outcome });
}

function unsigned32(...values: number[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeInt32LE(value | 0);
      return bytes;
    }),
  );
}

describe('an entry of a zip', () => {
  test('keeps kind, mode, content and order', async () => {
    const zip = makeZip([
      { name: 'd/', mode: 0o40750 },
      { name: 'd/deflated', content: 'x'.repeat(100_000), mode: 0o100755 },
      { name: 'd/stored', content: 'stored', isStored: true },
      { name: 'link', content: 'd/deflated', mode: 0o120777 },
      { name: 'bare-directory', mode: 0o40700 },
      { name: 'setuid', mode: 0o104755 },
      { name: `${'long/'.repeat(60)}name`, content: 'far' },
      { name: 'far-link', content: 'target/'.repeat(40), mode: 0o120777 },
    ]);
    expect((await members(zip)).map(({ name, type, mode, content }) => [name, type, mode, content])).toEqual([
      ['d/', 'directory', 0o750, ''],
      ['d/deflated', 'file', 0o755, 'x'.repeat(100_000)],
      ['d/stored', 'file', 0o644, 'stored'],
      ['link', 'symlink', 0o777, 'd/deflated'],
      ['bare-directory', 'directory', 0o700, ''],
      ['setuid', 'file', 0o4755, ''],
      [`${'long/'.repeat(60)}name`, 'file', 0o644, 'far'],
      ['far-link', 'symlink', 0o777, 'target/'.repeat(40)],
    ]);
  });

  test('has the content that it has however long it is, stored or deflated', async () => {
    const random = seededRandom(7);
    for (const length of [1, 511, 512, 513, 262_144, 1_048_576, 1_048_577, 5_000_000]) {
      const bytes = Buffer.from(Array.from({ length: 65_536 }, () => Math.floor(random() * 256)));
      const content = Buffer.alloc(length, bytes);
      for (const isStored of [true, false]) {
        const tar = await translate(makeZip([{ name: 'x', content, isStored }]));
        expect(tar.subarray(512, 512 + length).equals(content)).toBe(true);
        expect(tar.length).toBe(512 + Math.ceil(length / 512) * 512 + 1024);
      }
    }
  });

  test('has the owner that its extra fields say, in one header or the other, else that of who translates', async () => {
    const owners = async (entry: Partial<HandMadeEntry>) => {
      const { uid, gid } = await member({ name: 'x', ...entry });
      return [uid, gid];
    };
    const newOwner = extraField(
      0x7875,
      Buffer.concat([Buffer.from([1, 4]), unsigned32(70_000), Buffer.from([2, 5, 1])]),
    );
    expect(await owners({})).toEqual([71, 72]);
    expect(await owners({ extra: newOwner })).toEqual([70_000, 261]);
    expect(await owners({ localExtra: newOwner })).toEqual([70_000, 261]);
    expect(
      await owners({
        localExtra: extraField(0x7855, Buffer.from([1, 1, 2, 0])),
        extra: extraField(0x7855, Buffer.alloc(0)),
      }),
    ).toEqual([257, 2]);
    expect(
      await owners({ localExtra: extraField(0x5855, Buffer.concat([unsigned32(1, 2), Buffer.from([3, 0, 4, 0])])) }),
    ).toEqual([3, 4]);
    expect(await owners({ extra: extraField(0x7875, Buffer.from([1, 4, 1])) })).toEqual([71, 72]);
    const large = extraField(
      0x7875,
      Buffer.concat([Buffer.from([1, 4]), unsigned32(-2), Buffer.from([4]), unsigned32(-2)]),
    );
    expect((await translate(makeZip([{ name: 'x', extra: large }]))).toString('latin1')).toContain('uid=4294967294\n');
  });

  test('has the time of its extra fields, before 1970 as well, else that of DOS, taken for UTC', async () => {
    const time = async (extra?: Buffer) => (await member({ name: 'x', ...(extra && { extra }) })).mtime / 1000;
    expect(await time()).toBe(Date.UTC(2024, 1, 29, 12) / 1000);
    expect(await time(extraField(0x5455, Buffer.concat([Buffer.from([1]), unsigned32(123_456_789)])))).toBe(
      123_456_789,
    );
    expect(await time(extraField(0x5855, unsigned32(5, 6)))).toBe(6);
    const ntfs = (ticks: bigint) => {
      const data = Buffer.alloc(32);
      data.writeUInt16LE(1, 4);
      data.writeUInt16LE(24, 6);
      data.writeBigUInt64LE(ticks, 8);
      return translate(makeZip([{ name: 'x', extra: extraField(0x000a, data) }]));
    };
    const text = async (tar: Promise<Buffer>) => /mtime=(\S+)/.exec((await tar).toString('latin1'))?.[1];
    expect(await text(ntfs(116_444_736_012_345_678n))).toBe('1.234567800');
    expect(await text(ntfs(116_444_735_992_500_000n))).toBe('-0.750000000');
    const before = extraField(0x5455, Buffer.concat([Buffer.from([1]), unsigned32(-5)]));
    expect(await text(translate(makeZip([{ name: 'x', extra: before }])))).toBe('-5');
  });

  test('has the bytes of its name as they are stored on Unix, and what DOS means by them from there', async () => {
    const name = async (entry: HandMadeEntry) =>
      (await translate(makeZip([entry]))).subarray(0, 20).toString('latin1').replace(/\0+$/, '');
    expect(await name({ name: Buffer.from('\xe4\xff', 'latin1') })).toBe('\xe4\xff');
    expect(await name({ name: 'a\\b' })).toBe('a\\b');
    expect(await name({ name: 'ä', system: 0, flags: 0x800 })).toBe(Buffer.from('ä').toString('latin1'));
    expect(await name({ name: Buffer.from([0x84]), system: 0 })).toBe(Buffer.from('ä').toString('latin1'));
    expect(await name({ name: 'a\\b', system: 0 })).toBe('a/b');
    expect(await name({ name: 'a\\b/c', system: 0 })).toBe('a\\b/c');
    const unicode = (checksum: number) =>
      extraField(0x7075, Buffer.concat([Buffer.from([1]), unsigned32(checksum), Buffer.from('é')]));
    expect(await name({ name: 'e', extra: unicode(0xefda7a5a | 0) })).toBe(Buffer.from('é').toString('latin1'));
    expect(await name({ name: 'e', extra: unicode(0x12345678) })).toBe('e');
  });

  test('without a mode has that of DOS', async () => {
    const modes = async (attributes: number, name = 'x') => (await member({ name, system: 0, attributes })).mode;
    expect(await modes(0)).toBe(0o644);
    expect(await modes(1)).toBe(0o444);
    expect(await modes(0x10)).toBe(0o755);
    expect(await modes(0, 'd/')).toBe(0o755);
    expect((await member({ name: 'x', system: 3, attributes: 0 })).mode).toBe(0o644);
  });
});

test('a zip without entries is an empty tar', async () => {
  expect(await translate(makeZip([]))).toEqual(Buffer.alloc(1024));
});

describe('refused, with what was found, is', () => {
  const hello = { name: 'hello', content: 'hello '.repeat(50) };
  test.each<[string, string, RegExp, Buffer]>([
    ['an encrypted entry', 'unsupported', /not encrypted, found `hello`/, makeZip([{ ...hello, flags: 1 }])],
    ['strong encryption', 'unsupported', /strong encryption/, makeZip([{ ...hello, flags: 0x41 }])],
    ['another method', 'unsupported', /found bzip2 \(method 12\) in `hello`/, makeZip([{ ...hello, method: 12 }])],
    ['an unknown method', 'unsupported', /found method 77 in `hello`/, makeZip([{ ...hello, method: 77 }])],
    ['a wrong checksum', 'checksum', /`hello` with CRC-32 00000001, found/, makeZip([{ ...hello, checksum: 1 }])],
    ['a wrong checksum of what is stored', 'checksum', /CRC-32/, makeZip([{ ...hello, checksum: 1, isStored: true }])],
    ['more content than is said', 'malformed', /longer than 299 bytes/, makeZip([{ ...hello, length: 299 }])],
    ['less content than is said', 'malformed', /300 bytes long instead of 301/, makeZip([{ ...hello, length: 301 }])],
    [
      'a wrong length of what is stored',
      'malformed',
      /size mismatch/,
      makeZip([{ ...hello, length: 301, isStored: true }]),
    ],
    [
      'something behind the content',
      'malformed',
      /ends after \d+ of \d+ bytes/,
      makeZip([{ ...hello, junk: Buffer.from('x') }]),
    ],
    ['no deflated content', 'malformed', /cannot be decompressed/, makeZip([{ ...hello, isStored: true, method: 8 }])],
    [
      'a long content that is longer still',
      'malformed',
      /longer than 2000000 bytes/,
      makeZip([{ name: 'x', content: Buffer.alloc(3e6), length: 2e6 }]),
    ],
    ['a name with NUL', 'malformed', /name has a NUL/, makeZip([{ name: 'a\0b' }])],
    ['another name in front of the content', 'malformed', /another name/, makeZip([{ name: 'a', localName: 'b' }])],
    ['a directory with content', 'malformed', /directory has content/, makeZip([{ name: 'd/', content: 'x' }])],
    ['a link to nothing', 'malformed', /0 bytes long/, makeZip([{ name: 'l', mode: 0o120777 }])],
    [
      'a link to too much',
      'malformed',
      /4096 bytes long/,
      makeZip([{ name: 'l', mode: 0o120777, content: 'x'.repeat(4096) }]),
    ],
    ['a link with NUL', 'malformed', /target has a NUL/, makeZip([{ name: 'l', mode: 0o120777, content: 'a\0b' }])],
    [
      'content that two entries share',
      'malformed',
      /shares bytes/,
      makeZip([
        { name: 'a', content: 'x' },
        { name: 'a', content: 'x', isShared: true },
      ]),
    ],
    ['a count that leaves entries out', 'malformed', /behind 1 entries/, makeZip([hello, { name: 'more' }], 1)],
    ['a count of more entries', 'truncated', /found the end of the file/, makeZip([hello], 2)],
    ['no end', 'malformed', /End of central directory/, makeZip([hello]).subarray(0, 100)],
  ])('%s', async (_, code, message, zip) => {
    const error = await errorOf(zip);
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });

  test('content that reaches into the next entry', async () => {
    const zip = makeZip([
      { name: 'a', content: 'x', isStored: true },
      { name: 'b', content: 'y'.repeat(200), isStored: true },
    ]);
    const central = zip.indexOf('PK\x01\x02', 0, 'latin1');
    for (const field of [20, 24]) zip.writeUInt32LE(60, central + field);
    expect(await errorOf(zip)).toMatchObject({ code: 'malformed', message: expect.stringContaining('shares bytes') });
  });
});

test('a zip in which one byte was changed gives the same names and content, or an error', async () => {
  const directory = join(scratch.path, 'source');
  execFileSync('sh', [
    '-c',
    `mkdir -p '${directory}/d/e' && cd '${directory}' && seq 2000 > d/numbers && ln -s d/numbers link && : > nothing && echo x > d/e/x && head -c 1200000 /dev/zero > zeros`,
  ]);
  execFileSync('python3', [
    '-c',
    `
import zipfile, os
z = zipfile.ZipFile(${JSON.stringify(join(scratch.path, 'whole.zip'))}, 'w', zipfile.ZIP_DEFLATED)
os.chdir(${JSON.stringify(directory)})
for top, dirs, files in os.walk('.'):
  for name in dirs + files: z.write(os.path.join(top, name))
z.writestr('stored', 'stored' * 100, zipfile.ZIP_STORED)
z.close()`,
  ]);
  const whole = readFileSync(join(scratch.path, 'whole.zip'));
  const told = (found: readonly Member[]) => found.map(({ name, content }) => [name, content]);
  const expected = told(await members(whole));
  expect(expected.length).toBe(8);
  const random = seededRandom(20);
  let refused = 0;
  for (let round = 0; round < 300; round++) {
    const damaged = Buffer.from(whole);
    const at = Math.floor(random() * damaged.length);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    const found = await members(damaged).catch((error: unknown) => error);
    if (found instanceof ShoalError) refused++;
    else expect({ at, found: told(found as Member[]) }).toEqual({ at, found: expected });
  }
  expect(refused).toBeGreaterThan(150);
  expect(refused).toBeLessThan(300);
});
