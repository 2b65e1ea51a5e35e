import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { seededRandom } from '../support/random.ts';
import { contentOf, manyFiles, nodeAt } from './contract-tree.ts';
import type { GiveServed } from './describe-contract.ts';
import { callSystem, value } from './system-calls.ts';

const sparseSize = 100 << 20;

export function contentTests(give: GiveServed): void {
  test('files of every size around those of pages and chunks have their bytes', (ctx) => {
    const { at } = give(ctx);
    const sizes = [1, 4095, 4096, 131_071, 131_072, 131_073, 1_500_001];
    const calls = sizes.map((size) => ['preads', at(`sizes/${size}`), [[0, size + 10]], false] as const);
    expect(callSystem(calls)).toEqual(sizes.map((size) => ({ value: [sha1(contentOf(nodeAt(`sizes/${size}`)))] })));
    expect(value('pread', at('empty'), 10, 0)).toBe('');
  });

  test('reads at odd offsets and of odd lengths give what lies there, through the page cache and around it', (ctx) => {
    const { at } = give(ctx);
    const odd: [number, number][] = [
      [0, 1],
      [1, 4095],
      [4095, 2],
      [131_071, 2],
      [131_072, 131_072],
      [100_001, 300_003],
      [1_499_990, 100],
    ];
    const random = seededRandom(1);
    const more = Array.from({ length: 40 }, (): [number, number] => [random() * 1_500_001, 1 + random() * 200_000]);
    const places = [...odd, ...more.map(([from, length]) => [Math.floor(from), Math.floor(length)] as const)];
    const content = contentOf(nodeAt('sizes/1500001'));
    const expected = places.map(([from, length]) => sha1(content.subarray(from, from + length)));
    // O_DIRECT asks the server for just that.
    for (const direct of [false, true]) expect(value('preads', at('sizes/1500001'), places, direct)).toEqual(expected);
  });

  test('reads of a file with holes give zeros where nothing is stored', (ctx) => {
    const { at } = give(ctx);
    const content = contentOf(nodeAt('sparse'));
    const edges = [
      0,
      4999,
      5000,
      10 << 20,
      (10 << 20) + 131_072,
      (50 << 20) + 4096,
      (50 << 20) + 304_096,
      sparseSize - 5,
    ];
    const places = edges.flatMap((edge) => [
      [Math.max(0, edge - 3), 7],
      [Math.max(0, edge - 100_000), 200_001],
    ]) as [number, number][];
    expect(value('preads', at('sparse'), places, false)).toEqual(
      places.map(([from, length]) => sha1(content.subarray(from, from + length))),
    );
    expect(value('preads', at('all-hole'), [[1000, 4 << 20]], false)).toEqual([sha1(Buffer.alloc((3 << 20) - 1000))]);
  });

  test('behind the end of a file there is nothing, however far', (ctx) => {
    const { at } = give(ctx);
    const places = [14, 15, 4096, 2 ** 32, 2 ** 53];
    const calls = places.map((offset) => ['pread', at('plain.txt'), 100, offset] as const);
    expect(callSystem(calls)).toEqual(places.map(() => ({ value: '' })));
    expect(value('pread', at('plain.txt'), 100, 13)).toBe(Buffer.from('\n').toString('hex'));
  });

  test('holes and data are found with lseek', (ctx) => {
    const { abilities, at } = give(ctx);
    const seek = (path: string, offset: number, whence: string) => callSystem([['lseek', at(path), offset, whence]])[0];
    const told = [
      [seek('sparse', 0, 'SEEK_HOLE'), 5000],
      [seek('sparse', 5000, 'SEEK_DATA'), 10 << 20],
      [seek('sparse', 10 << 20, 'SEEK_DATA'), 10 << 20],
      [seek('sparse', (10 << 20) + 5, 'SEEK_HOLE'), (10 << 20) + 131_072],
      [seek('sparse', 20 << 20, 'SEEK_HOLE'), 20 << 20],
      [seek('all-hole', 7, 'SEEK_HOLE'), 7],
    ] as const;
    for (const [answer, place] of told) {
      // Where no holes are told, all is data, and the only hole begins at the end: never wrong, only less.
      if (abilities.holes) expect(answer).toEqual({ value: place });
      else expect(answer?.value).toBeGreaterThanOrEqual(0);
    }
    const lastHole = seek('sparse', 60 << 20, 'SEEK_DATA');
    expect(lastHole).toEqual(abilities.holes ? { error: 'ENXIO' } : { value: 60 << 20 });
    expect(seek('plain.txt', 3, 'SEEK_HOLE')).toEqual({ value: 14 });
    expect(seek('plain.txt', 3, 'SEEK_DATA')).toEqual({ value: 3 });
    expect(seek('plain.txt', 0, 'SEEK_END')).toEqual({ value: 14 });
  });

  test('a file can be mapped, and a program there runs if it may', (ctx) => {
    const { at } = give(ctx);
    expect(value('mapped', at('sizes/1500001'))).toBe(sha1(contentOf(nodeAt('sizes/1500001'))));
    expect(value('execute', at('program'), 'it runs')).toBe('it runs\n');
    expect(callSystem([['execute', at('no-program'), '']])).toEqual([{ error: 'EACCES' }]);
  });

  test('processes and threads that read all files at once get the same bytes', (ctx) => {
    const { at } = give(ctx);
    const names = Array.from({ length: manyFiles }, (_, i) => `${i}`);
    const all = Buffer.concat(names.map((name) => contentOf(nodeAt(`many/${name}`))));
    expect(value('crowd_of_readers', at('many'), names, 4, 4)).toEqual([sha1(all)]);
  });
}

function sha1(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex');
}
