import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documents, runShoal } from '../support/run-shoal.ts';
import { makeSampleImage, type SampleImage } from '../support/sample-image.ts';

let image: SampleImage;
const inDirectory = (name: string) => join(image.directory, name);

beforeAll(() => {
  image = makeSampleImage();
});
afterAll(() => image.remove());

describe.each(['ls', 'info', 'verify'])('shoal %s', (command) => {
  test('fails for an image that is not there', () => {
    const { status, stderr } = runShoal([command, inDirectory('nothing.shoal')]);
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`^shoal: ${command}: .*no such file`, 'i'));
    expect(stderr).toContain(`  path: ${inDirectory('nothing.shoal')}\n`);
  });

  test.each([
    ['empty', (bytes: Buffer) => bytes.subarray(0, 0)],
    ['text', () => Buffer.from('no image, but some text that is long enough')],
    ['truncated in the header', (bytes: Buffer) => bytes.subarray(0, 100)],
    ['truncated in the middle', (bytes: Buffer) => bytes.subarray(0, 5000)],
    ['of another version', (bytes: Buffer) => changed(bytes, 8)],
    ['damaged in the header', (bytes: Buffer) => changed(bytes, 40)],
    ['damaged in the entries', (bytes: Buffer) => changed(bytes, 4100)],
  ])('calls an image damaged that is %s, with path and offset', (_, damage) => {
    const path = inDirectory('damaged.shoal');
    writeFileSync(path, damage(readFileSync(image.index)));
    const { status, stdout, stderr } = runShoal([command, path]);
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toMatch(/\n {2}path: .*damaged\.shoal\n {2}offset: \d+\n$/);
  });

  test('tells machines, too', () => {
    writeFileSync(inDirectory('empty.shoal'), '');
    const { status, stderr } = runShoal([command, '--json', inDirectory('empty.shoal')]);
    expect(status).toBe(3);
    expect(documents(stderr)).toMatchObject([
      { error: { code: 'not-image', path: inDirectory('empty.shoal'), offset: 0 } },
    ]);
  });
});

describe('the message', () => {
  test('guesses that the ending was forgotten', () => {
    const { status, stderr } = runShoal(['ls', inDirectory('sample')]);
    expect(status).toBe(1);
    expect(stderr).toContain(`  Did you mean ${image.index}?\n`);
  });

  test('knows a directory', () => {
    mkdirSync(inDirectory('tree'));
    const { status, stderr } = runShoal(['ls', inDirectory('tree')]);
    expect(status).toBe(3);
    expect(stderr).toContain(
      `  It is a directory; to make an image of it: shoal pack ${inDirectory('tree')} -o NAME.shoal\n`,
    );
  });

  test('knows a volume, and a tar without an index', () => {
    expect(runShoal(['ls', image.volume]).stderr).toContain(`  It is a volume; its index is ${image.index}\n`);
    copyFileSync(image.volume, inDirectory('other.tar'));
    expect(runShoal(['ls', inDirectory('other.tar')]).stderr).toContain(
      `  to make one: shoal index ${inDirectory('other.tar')}\n`.trimStart(),
    );
  });

  test('says of a volume that is too short how long it should be', () => {
    truncateSync(image.volume, 500);
    const { status, stderr } = runShoal(['cat', image.index, 'a.txt']);
    expect(status).toBe(3);
    expect(stderr).toMatch(/expected a volume of \d+ bytes, found 500/);
    expect(stderr).toContain(`  path: ${image.volume}\n  offset: 500\n`);
  });
});

function changed(bytes: Buffer, place: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(place) ^ 0x40, place);
  return copy;
}
