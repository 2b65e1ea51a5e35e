import { describe, expect, test } from 'vitest';
import { byteFields } from '../../src/cli/byte-fields.ts';
import { durationText } from '../../src/cli/duration-text.ts';
import { modeText, permissionText } from '../../src/cli/mode-text.ts';
import { addMetadata, parseJobs } from '../../src/cli/option-values.ts';
import { tableLines } from '../../src/cli/table.ts';
import { fullTime, shortTime } from '../../src/cli/time-text.ts';

test('modes are shown as ls shows them', () => {
  expect(modeText(0o100644)).toBe('-rw-r--r--');
  expect(modeText(0o040755)).toBe('drwxr-xr-x');
  expect(modeText(0o120777)).toBe('lrwxrwxrwx');
  expect(modeText(0o104755)).toBe('-rwsr-xr-x');
  expect(modeText(0o106644)).toBe('-rwSr-Sr--');
  expect(modeText(0o041777)).toBe('drwxrwxrwt');
  expect(modeText(0o041776)).toBe('drwxrwxrwT');
  expect([0o010000, 0o020000, 0o060000].map((mode) => modeText(mode)[0]).join('')).toBe('pcb');
  expect(permissionText(0o100644)).toBe('0644');
  expect(permissionText(0o107777)).toBe('7777');
});

describe('times', () => {
  test('are local, and exact where that is asked for', () => {
    const offset = new Date(0).getTimezoneOffset() * 60;
    expect(shortTime(offset)).toBe('1970-01-01 00:00');
    expect(fullTime(offset - 1, 5)).toMatch(/^1969-12-31 23:59:59\.000000005 [+-]\d{4}$/);
  });

  test('beyond every calendar are told in seconds', () => {
    expect(shortTime(9e15)).toBe('@9000000000000000');
    expect(fullTime(-9e15, 1)).toBe('@-9000000000000000.000000001');
  });
});

test('columns are aligned, and lines do not end in spaces', () => {
  expect(
    tableLines(
      [
        ['a', '1', 'x'],
        ['long', '100', ''],
      ],
      ['left', 'right', 'left'],
    ),
  ).toEqual(['a       1  x', 'long  100']);
});

test('durations keep what matters', () => {
  expect([420, 12_300, 245_000].map(durationText)).toEqual(['0.42 s', '12.3 s', '4 min 05 s']);
  const [hour, day] = [3_600_000, 86_400_000];
  expect([hour - 1000, hour, 7.1 * hour, day - 1000, 12.3 * day].map(durationText)).toEqual([
    '59 min 59 s',
    '1 h 00 min',
    '7 h 06 min',
    '23 h 59 min',
    '12 d 07 h',
  ]);
});

test('bytes that are no text come in base64, too', () => {
  expect(byteFields('name', Buffer.from('ä'))).toEqual({ name: 'ä' });
  expect(byteFields('name', Buffer.of(0x61, 0xff))).toEqual({ name: 'a\uFFFD', nameBytes: 'Yf8=' });
});

describe('values of options', () => {
  test('numbers are whole and positive', () => {
    expect(parseJobs('4')).toBe(4);
    for (const wrong of ['0', '-1', '1.5', '', 'four', '1e9'])
      expect(() => parseJobs(wrong)).toThrow('expected a whole number');
  });

  test('metadata is KEY=VALUE, each key once', () => {
    expect(addMetadata('b=2=3', addMetadata('a=', undefined))).toEqual({ a: '', b: '2=3' });
    expect(() => addMetadata('a', {})).toThrow('expected KEY=VALUE');
    expect(() => addMetadata('=a', {})).toThrow('expected KEY=VALUE');
    expect(() => addMetadata('a=2', { a: '1' })).toThrow('given twice');
    expect(() => addMetadata('shoal.version=2', {})).toThrow("Shoal's own");
  });
});
