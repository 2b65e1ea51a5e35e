import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { encodeIndex } from '../support/encode-image.ts';
import { directory, file } from '../support/model-tree.ts';
import { seededRandom } from '../support/random.ts';

/** DESIGN: bytes per entry with 20-byte names, all told, and compressed for transfer. */
const budget = 64;
const compressedBudget = 20;

describe('the index of 100 000 files with names of 20 bytes', () => {
  const index = dataSet(200, 500);
  const entries = 1 + 200 + 100_000;

  it(`needs at most ${budget} bytes per entry`, () => {
    console.log(`index: ${(index.length / entries).toFixed(2)} bytes per entry`);
    expect(index.length / entries).toBeLessThanOrEqual(budget);
  });

  it(`needs at most ${compressedBudget} bytes per entry in a transfer compressed by zstd -19`, (ctx) => {
    const zstd = spawnSync('zstd', ['-19', '-c'], { input: index, maxBuffer: 2 ** 26 });
    if (zstd.error !== undefined) return ctx.skip('the command zstd is not installed');
    console.log(`index with zstd -19: ${(zstd.stdout.length / entries).toFixed(2)} bytes per entry`);
    expect(zstd.stdout.length / entries).toBeLessThanOrEqual(compressedBudget);
  });
});

/** Small pictures as a camera names them, laid out as the packer does. */
function dataSet(directories: number, files: number): Buffer {
  const random = seededRandom(1);
  const upTo = (limit: number) => Math.floor(random() * limit);
  let offset = 1024 + 512 * (1 + directories);
  const picture = (number: number) => {
    const size = 2000 + upTo(8000);
    const start = offset + 512;
    offset = start + Math.ceil(size / 512) * 512;
    const name = `img_${String(number).padStart(11, '0')}.jpeg`;
    return file(name, size, start, {
      checksum: upTo(2 ** 32),
      seconds: 1_700_000_000 + upTo(100_000),
      nanoseconds: upTo(1_000_000_000),
    });
  };
  const folders = Array.from({ length: directories }, (_, d) =>
    directory(
      `folder-${String(d).padStart(4, '0')}`,
      Array.from({ length: files }, (__, i) => picture(d * files + i)),
    ),
  );
  return encodeIndex(directory('', folders));
}
