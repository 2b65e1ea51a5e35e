import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyImage } from '../../src/image/verify.ts';
import { indexArchive } from '../../src/indexers/index-archive.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { seededRandom } from '../support/random.ts';

const scratch = mkdtempSync(join(tmpdir(), 'shoal-pieces-'));
const tree = join(scratch, 'tree');
const image = join(scratch, 'image.shoal');
const volume = join(scratch, 'image.tar');
const mebibyte = 1 << 20;
let packed: Buffer;

beforeAll(async () => {
  mkdirSync(join(tree, 'many'), { recursive: true });
  const random = seededRandom(7);
  const content = Buffer.from(Uint8Array.from({ length: 6 * mebibyte + 12_345 }, () => 256 * random()));
  writeFileSync(join(tree, 'large'), content);
  for (let i = 0; i < 400; i++)
    writeFileSync(join(tree, 'many', `file-${i}`), content.subarray(i, i + 9000 * random()));
  await packTree([tree], image);
  packed = readFileSync(volume);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What verify says of the volume with one bit of the byte at `offset` flipped. */
async function problemsWithFlipAt(offset: number): Promise<{ path: string; code: string }[]> {
  const bytes = Buffer.from(packed);
  bytes[offset] ^= 4;
  writeFileSync(volume, bytes);
  try {
    const { problems } = await verifyImage(image, { jobs: 2 });
    return problems.map(({ path, code }) => ({ path: path.toString(), code }));
  } finally {
    writeFileSync(volume, packed);
  }
}

test('a volume is packed with a checksum for each of its mebibytes, and is whole', async () => {
  expect(await verifyImage(image)).toMatchObject({ unframedVolumes: 0, uncheckedBytes: 0, problems: [] });
});

describe('one flipped bit is told', () => {
  test('in a header, as damage of the volume', async () => {
    const header = packed.indexOf('many/file-7\0');
    expect(await problemsWithFlipAt(header)).toEqual([{ path: volume, code: 'checksum' }]);
  });

  test('in the padding behind a file of several mebibytes', async () => {
    const large = packed.indexOf('large\0');
    const end = large + 512 + 6 * mebibyte + 12_345;
    expect(await problemsWithFlipAt(end + 3)).toEqual([{ path: volume, code: 'checksum' }]);
  });

  test('in the checksums that the volume tells of itself', async () => {
    expect(await problemsWithFlipAt(packed.indexOf('shoal pieces') + 20)).toEqual([{ path: volume, code: 'checksum' }]);
  });

  test('wherever it is', async () => {
    const random = seededRandom(20);
    for (let i = 0; i < 60; i++) {
      // Flips in the first and last 4 096 bytes are refused as another volume: see verify.test.ts.
      const offset = 4096 + Math.floor(random() * (packed.length - 8192));
      expect(await problemsWithFlipAt(offset), `offset ${offset}`).toHaveLength(1);
    }
  });
});

test('an index that was made anew knows the pieces, too', async () => {
  const anew = join(scratch, 'anew.shoal');
  await indexArchive(volume, { output: anew });
  expect(await verifyImage(anew)).toMatchObject({ unframedVolumes: 0, problems: [] });
});
