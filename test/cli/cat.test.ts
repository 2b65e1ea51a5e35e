import { closeSync, openSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runShell, runShoal } from '../support/run-shoal.ts';
import { large, largeContent, makeSampleImage, type SampleImage } from '../support/sample-image.ts';

let image: SampleImage;
let index: string;

beforeAll(() => {
  image = makeSampleImage();
  index = image.index;
});
afterAll(() => image.remove());

describe('shoal cat', () => {
  test('writes exactly the bytes of files, one after the other', () => {
    expect(runShoal(['cat', index, 'a.txt', 'dir/large', 'dir/again']).stdoutBytes).toEqual(
      Buffer.concat([Buffer.from('hello\n'), largeContent, Buffer.from('hello\n')]),
    );
  });

  test('writes holes as zeros', () => {
    const expected = Buffer.alloc(1_000_000);
    expected.write('data', 500_000);
    expect(runShoal(['cat', index, 'dir/hole']).stdoutBytes.equals(expected)).toBe(true);
  });

  test('finds names that are no UTF-8 or begin with a dash', () => {
    expect(runShell(`shoal cat ${index} $'b\\xff\\n'`)).toMatchObject({ status: 0, stdout: 'odd' });
    expect(runShell(`shoal cat ${index} -- -dash`)).toMatchObject({ status: 0, stdout: 'dash' });
    expect(runShell(`shoal cat ${index} $'b\\xfe\\n'`).stderr).toContain('there is no "b\\xFE\\n"');
  });

  test('follows symbolic links within the image', () => {
    expect(runShoal(['cat', index, 'dir/up'])).toMatchObject({ status: 0, stdout: 'hello\n' });
  });

  test.each([
    ['an absolute link', 'dir/absolute', 'a symbolic link leads to /etc/passwd, out of the image'],
    ['a link that leads out', 'dir/out', 'a symbolic link leads out of the image'],
    ['a link to itself', 'dir/loop', 'found more than 40 symbolic links'],
    ['a directory', 'dir', 'expected a file at "dir", found a directory'],
    ['a FIFO', 'dir/pipe', 'expected a file at "dir/pipe", found a fifo'],
    ['no entry', 'dir/nothing', 'there is no "nothing"'],
    ['a file as a directory', 'a.txt/b', 'there is no "b"'],
  ])('refuses %s, and still writes the others', (_, path, reason) => {
    const { status, stdout, stderr } = runShoal(['cat', index, path, 'a.txt']);
    expect(stderr).toContain(reason);
    expect(stdout).toBe('hello\n');
    expect(status).toBe(1);
  });

  test('ends without a word when nobody reads on', () => {
    const { stdout, stderr } = runShell(
      `shoal cat ${index} dir/large dir/large dir/large | head -c 6; echo " \${PIPESTATUS[0]}"`,
    );
    expect(stderr).toBe('');
    expect(stdout).toBe('shoal  141\n');
  });

  test('writes no byte of a damaged chunk, and says where it lies', () => {
    const place = (image.offsets.get(large) ?? 0) + 200_000;
    const volume = openSync(image.volume, 'r+');
    writeSync(volume, 'X', place);
    closeSync(volume);

    const { status, stdoutBytes, stderr } = runShoal(['cat', index, 'dir/large', 'a.txt']);
    expect(status).toBe(3);
    expect(stderr).toMatch(/the bytes of "dir\/large" are not those that were packed/);
    expect(stderr).toContain(`  path: ${image.volume}\n  offset: ${place - 200_000 + 131_072}\n`);
    const content = stdoutBytes.subarray(0, -6);
    expect(content.equals(largeContent.subarray(0, content.length))).toBe(true);
    expect(content.length).toBeLessThanOrEqual(131_072);
  });
});
