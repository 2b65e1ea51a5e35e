import { describe, expect, test } from 'vitest';
import type { Progress } from '../../src/base/progress.ts';
import { ProgressDisplay } from '../../src/cli/progress-display.ts';
import { progressBar, progressText } from '../../src/cli/progress-line.ts';

const mebibyte = 2 ** 20;
const begin = { at: 0, entriesDone: 0, bytesDone: 0 };

describe('the text of progress', () => {
  test('says share, amounts, rate and time left', () => {
    const now = { at: 2000, entriesDone: 60, entriesTotal: 100, bytesDone: 20 * mebibyte, bytesTotal: 40 * mebibyte };
    expect(progressText(now, begin)).toBe('51 % · 20M of 40M · 60 of 100 entries · 10M/s · 0:02 left');
  });

  test('counts entries as well as bytes: a million empty files are work, too', () => {
    const now = { at: 1000, entriesDone: 10, entriesTotal: 100, bytesDone: mebibyte, bytesTotal: mebibyte };
    expect(progressText(now, begin)).toBe('22 % · 1M of 1M · 10 of 100 entries · 1M/s · 0:09 left');
  });

  test('does not stand still at the last one of few entries', () => {
    const now = { at: 1000, bytesDone: 9e9, bytesTotal: 10e9, entriesDone: 1, entriesTotal: 2 };
    expect(progressText(now, begin)).toMatch(/^89 % /);
  });

  test('leaves out what is not known', () => {
    expect(progressText({ at: 1000, entriesDone: 500, bytesDone: 0 }, begin)).toBe('0 · 500 entries · 500 entries/s');
    expect(progressText(begin, begin)).toBe('0 · 0 entries');
  });

  test('tells hours apart', () => {
    const now = { at: 1000, entriesDone: 1, entriesTotal: 11_106, bytesDone: 0 };
    expect(progressText(now, begin)).toContain('3:05:05 left');
  });

  test('fits the terminal', () => {
    const now = { at: 2000, entriesDone: 60, entriesTotal: 100, bytesDone: 20 * mebibyte, bytesTotal: 40 * mebibyte };
    expect(progressBar('packing', now, begin, 100)).toMatch(/^packing \[#{10,15}\.{10,15}\] 51 % · /);
    for (const columns of [10, 40, 80, 120])
      expect(progressBar('packing', now, begin, columns).length).toBeLessThan(columns);
  });
});

describe('the display', () => {
  /** What is written when progress comes at these moments. */
  function shown(columns: number | undefined, moments: readonly (Progress & { at: number })[]): string {
    let written = '';
    let now = 0;
    const display = new ProgressDisplay('packing', { columns, now: () => now, write: (text) => (written += text) });
    for (const moment of moments) {
      now = moment.at;
      display.update(moment);
    }
    display.end();
    return written;
  }
  const moments = Array.from({ length: 120 }, (_, i) => ({
    at: i * 100,
    entriesDone: i,
    entriesTotal: 120,
    bytesDone: 0,
  }));

  test('draws over one line of a terminal, and leaves it clean', () => {
    const written = shown(80, moments);
    expect(written).not.toContain('\n');
    expect(written.endsWith('\r\x1b[K')).toBe(true);
    expect(written.split('\r').length).toBeGreaterThan(50);
  });

  test('writes a plain line every few seconds elsewhere', () => {
    const lines = shown(undefined, moments).trimEnd().split('\n');
    expect(lines).toEqual([
      'packing: 41 % · 0 · 50 of 120 entries · 10 entries/s · 0:07 left',
      'packing: 83 % · 0 · 100 of 120 entries · 10 entries/s · 0:02 left',
    ]);
  });

  test('says nothing about work that is done at once', () => {
    expect(shown(80, moments.slice(0, 3))).toBe('');
    expect(shown(undefined, moments.slice(0, 30))).toBe('');
  });

  test('takes the rate of a new step from that step alone', () => {
    const second = [
      { at: 4900, entriesDone: 1_000_000, bytesDone: 0 },
      { at: 5000, entriesDone: 0, bytesDone: 0 },
      { at: 6000, entriesDone: 100, bytesDone: 0 },
    ];
    expect(shown(undefined, second)).toBe('packing: 0 · 0 entries\n');
    expect(shown(80, second)).toContain('100 entries · 100 entries/s');
  });
});
