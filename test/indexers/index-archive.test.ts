import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { openImage } from '../../src/image/open-image.ts';
import { indexArchive } from '../../src/indexers/index-archive.ts';
import { scratchDirectory } from './indexed-tar.ts';
import { end, file } from './tar-blocks.ts';

const scratch = scratchDirectory();
let directory: string;
let archive: Buffer;
let count = 0;

beforeEach(() => {
  directory = join(scratch, String(count++));
  mkdirSync(join(directory, 'elsewhere'), { recursive: true });
  archive = Buffer.from(join(directory, 'x.tar'));
  writeFileSync(archive, Buffer.concat([file('a', 'content'), end]));
});

function contentOfA(image: Buffer): string {
  const opened = openImage(image);
  try {
    return opened.read(opened.index.get(1), 0, 100).toString();
  } finally {
    opened.close();
  }
}

describe('the index of an archive', () => {
  test('lies beside it as NAME.tar.shoal, and moves together with it', async () => {
    const { image, entries, bytes, indexLength, id } = await indexArchive(archive);
    expect(image.toString()).toBe(`${archive}.shoal`);
    expect({ entries, bytes, indexLength }).toEqual({ entries: 2, bytes: 7, indexLength: statSync(image).size });
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(readdirSync(directory).sort()).toEqual(['elsewhere', 'x.tar', 'x.tar.shoal']);
    const moved = `${directory}-moved`;
    renameSync(directory, moved);
    expect(contentOfA(Buffer.from(join(moved, 'x.tar.shoal')))).toBe('content');
  });

  test('names an archive elsewhere by its absolute path, and finds it through other names of its directory', async () => {
    const output = Buffer.from(join(directory, 'elsewhere/y.shoal'));
    await indexArchive(archive, { output });
    expect(contentOfA(output)).toBe('content');
    expect(readFileSync(output).includes(archive)).toBe(true);

    symlinkSync('.', join(directory, 'same'));
    const beside = Buffer.from(join(directory, 'same/z.shoal'));
    await indexArchive(archive, { output: beside });
    expect(readFileSync(beside).includes(archive)).toBe(false);
    expect(contentOfA(beside)).toBe('content');
  });

  test('is the same whenever it is made, and leaves the archive as it is', async () => {
    const before = readFileSync(archive);
    const first = readFileSync((await indexArchive(archive)).image);
    const second = readFileSync((await indexArchive(archive, { force: true })).image);
    expect(second.equals(first)).toBe(true);
    expect(readFileSync(archive).equals(before)).toBe(true);
  });
});

describe('before any work it is told', () => {
  test('that there is a file already, unless it may be replaced', async () => {
    const output = Buffer.from(join(directory, 'y.shoal'));
    writeFileSync(output, 'precious');
    await expect(indexArchive(archive, { output })).rejects.toMatchObject({ code: 'exists', path: output.toString() });
    expect(readFileSync(output, 'utf8')).toBe('precious');
    await indexArchive(archive, { output, force: true });
    expect(contentOfA(output)).toBe('content');
  });

  test('that the index would take the place of the archive, even by force', async () => {
    symlinkSync('x.tar', join(directory, 'link'));
    for (const output of [archive, Buffer.from(join(directory, 'link'))]) {
      await expect(indexArchive(archive, { output, force: true })).rejects.toMatchObject({ code: 'usage' });
    }
  });

  test('that the directory of the index is missing, or that its name is a directory', async () => {
    const missing = Buffer.from(join(directory, 'none/y.shoal'));
    await expect(indexArchive(archive, { output: missing })).rejects.toMatchObject({ code: 'missing' });
    const taken = Buffer.from(join(directory, 'elsewhere'));
    await expect(indexArchive(archive, { output: taken, force: true })).rejects.toMatchObject({ code: 'usage' });
  });
});

test('a damaged archive leaves no index', async () => {
  writeFileSync(archive, Buffer.concat([file('a', 'content'), Buffer.alloc(512, 'x'), end]));
  await expect(indexArchive(archive)).rejects.toMatchObject({
    code: 'checksum',
    path: archive.toString(),
    offset: 1024,
  });
  expect(existsSync(`${archive}.shoal`)).toBe(false);
  expect(readdirSync(directory).sort()).toEqual(['elsewhere', 'x.tar']);
});

test('an aborted run ends with `cancelled` and leaves no index', async () => {
  const abort = new AbortController();
  abort.abort();
  await expect(indexArchive(archive, { signal: abort.signal })).rejects.toMatchObject({ code: 'cancelled' });
  expect(readdirSync(directory).sort()).toEqual(['elsewhere', 'x.tar']);
});

test('progress reaches the length of the archive', async () => {
  const seen: { bytesDone: number; bytesTotal?: number }[] = [];
  await indexArchive(archive, { onProgress: (progress) => seen.push(progress) });
  expect(seen.at(-1)).toMatchObject({ entriesDone: 1, bytesDone: 2048, bytesTotal: 2048 });
});
