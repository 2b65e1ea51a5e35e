import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { indexArchive } from '../../src/indexers/index-archive.ts';
import type { CatalogueColumns } from '../../src/native/catalogue.ts';
import { loadAddon } from '../../src/native/load.ts';
import { runJob } from '../../src/native/run-job.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { walkOptions } from '../../src/pack/selection.ts';
import { idOf } from '../support/index-bytes.ts';
import { makeTortureTree } from '../torture-tree.ts';
import { run, scratchDirectory } from './indexed-tar.ts';
import { withChecksum } from './tar-blocks.ts';

const scratch = scratchDirectory();
const addon = loadAddon();
const volume = join(scratch, 'torture.tar');
let packed: CatalogueColumns;
let id: Buffer;

/** Packs a tree as the engine under `shoal pack` does; `halfway` writes no id. */
async function pack(source: string, path: string, halfway = false): Promise<CatalogueColumns> {
  const { catalogue, unreadable } = await runJob((counters) =>
    addon.walk(walkOptions([Buffer.from(source)], 2, {}), counters),
  );
  expect(unreadable).toEqual([]);
  await addon.planVolumes(catalogue, { volumeSize: 0, level: 0 }, 2);
  await runJob((counters) => addon.writeVolumes(catalogue, [Buffer.from(path)], undefined, 2, counters));
  const columns = addon.catalogueColumns(catalogue);
  if (!halfway) await addon.finishVolumes(catalogue, [Buffer.from(path)], idOf(columns), 2);
  return columns;
}

async function scan(path: string): Promise<CatalogueColumns> {
  const { catalogue } = await runJob((counters) => addon.scanTar([Buffer.from(path)], counters));
  return addon.catalogueColumns(catalogue);
}

/** A copy of the volume, changed. */
function altered(name: string, change: (bytes: Buffer) => Buffer | undefined): Buffer {
  const path = join(scratch, `${name}.tar`);
  const bytes = readFileSync(small);
  writeFileSync(path, change(bytes) ?? bytes);
  return Buffer.from(path);
}

const small = join(scratch, 'small.tar');

beforeAll(async () => {
  makeTortureTree(join(scratch, 'torture'), { hugeSparse: true, crowd: 2000 });
  packed = await pack(join(scratch, 'torture'), volume);
  id = idOf(packed);

  mkdirSync(join(scratch, 'small/d'), { recursive: true });
  writeFileSync(join(scratch, 'small/a'), 'content of a');
  writeFileSync(join(scratch, 'small/d/b'), Buffer.alloc(200_000, 'b'));
  await pack(join(scratch, 'small'), small);
});

describe('a volume that Shoal wrote', () => {
  test('gives column by column what it was written from', async () => {
    const scanned = await scan(volume);
    expect(Object.keys(scanned).sort()).toEqual(Object.keys(packed).sort());
    for (const [column, values] of Object.entries(packed)) {
      const found = scanned[column as keyof CatalogueColumns];
      if (typeof values === 'boolean') expect(found, column).toBe(values);
      else expect(Buffer.compare(bytesOf(found as Uint8Array), bytesOf(values)), column).toBe(0);
    }
    expect(scanned.parents.length).toBeGreaterThan(2000);
  });

  test('is indexed as NAME.shoal, with its id and its checksums', async () => {
    const result = await indexArchive(Buffer.from(volume));
    expect(result.image.toString()).toBe(join(scratch, 'torture.shoal'));
    expect(result.id).toBe(id.toString('hex'));
    expect(result.skipped).toEqual([]);
    const verified = await runJob((counters) => addon.verify(result.image, 2, counters));
    expect(verified.problems).toEqual([]);
    expect(verified.uncheckedBytes).toBe(0);
  });

  test('gives the index that was packed with it, byte for byte', async () => {
    const image = join(scratch, 'packed.shoal');
    // Some pieces are told by the tail, the last ones are read.
    expect((await packTree([join(scratch, 'torture')], image)).volumeLength).toBeGreaterThan(3 << 20);
    const before = readFileSync(image);
    await indexArchive(join(scratch, 'packed.tar'), { force: true });
    expect(readFileSync(image).equals(before)).toBe(true);
  });
});

describe('a volume that was changed after Shoal wrote it is refused', () => {
  const code = async (path: Buffer) => {
    try {
      await indexArchive(path, { force: true });
      return 'none';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  test('where an id or an entry differs', async () => {
    const otherId = altered('other-id', (bytes) => {
      bytes.write('0123456789abcdef', bytes.indexOf(' id=') + 4, 'latin1');
      return undefined;
    });
    expect(await code(otherId)).toBe('checksum');
    const otherMode = altered('other-mode', (bytes) => {
      const start = bytes.indexOf('a\0\0\0', 1024);
      const block = bytes.subarray(start, start + 512);
      block.write('0000700', 100, 'latin1');
      withChecksum(block);
      return undefined;
    });
    expect(await code(otherMode)).toBe('checksum');
  });

  test('where checksums are missing, too many or no numbers', async () => {
    const at = (bytes: Buffer) => bytes.indexOf('shoal checksums 0 3 ');
    const digits = 'shoal checksums 0 3 01234567 '.length;
    const cases: Record<string, (bytes: Buffer) => Buffer | undefined> = {
      count: (bytes) => void bytes.write('shoal checksums 0 4 ', at(bytes), 'latin1'),
      first: (bytes) => void bytes.write('shoal checksums 1 3 ', at(bytes), 'latin1'),
      check: (bytes) => void bytes.write('xyz', at(bytes) + 20, 'latin1'),
      'without them': (bytes) => void bytes.write('other comment   ', at(bytes), 'latin1'),
    };
    for (const [name, change] of Object.entries(cases)) {
      const path = altered(`tail-${name}`, (bytes) => {
        expect(at(bytes)).toBeGreaterThan(0);
        return change(bytes);
      });
      expect(await code(path), name).toBe('malformed');
    }
    const otherValue = altered('other-value', (bytes) => void bytes.write('00000000', at(bytes) + digits, 'latin1'));
    expect(await code(otherValue)).toBe('checksum');
  });

  test('where members were added, or the end is missing', async () => {
    const appended = join(scratch, 'appended.tar');
    copyFileSync(small, appended);
    run('tar', ['-rf', appended, '-C', join(scratch, 'small'), 'a'], '/');
    expect(await code(Buffer.from(appended))).toBe('malformed');
    const bytes = readFileSync(small);
    const tail = bytes.indexOf('shoal checksums');
    const codes = new Set<string>();
    for (let length = 512; length < tail; length += 512) {
      codes.add(await code(altered('cut', () => bytes.subarray(0, length))));
    }
    expect([...codes].sort()).toEqual(['truncated']);
  });

  test('where packing ended before it was complete', async () => {
    const path = join(scratch, 'halfway.tar');
    await pack(join(scratch, 'small'), path, true);
    expect(await code(Buffer.from(path))).toBe('truncated');
  });

  test('where a newer version of Shoal wrote it', async () => {
    const newer = altered(
      'newer',
      (bytes) => void bytes.write('shoal volume 2 ', bytes.indexOf('shoal volume'), 'latin1'),
    );
    expect(await code(newer)).toBe('version');
  });
});

function bytesOf(values: NodeJS.TypedArray): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
