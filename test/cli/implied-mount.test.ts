import { expect, test } from 'vitest';
import { withImpliedMount } from '../../src/cli/implied-mount.ts';
import { runShoal } from '../support/run-shoal.ts';

test.each([
  [['/data/train.shoal', '/mnt', '-o', 'rw,dev,suid']],
  [['train.shoal', 'mnt']],
  [['./train', 'mnt', '-f']],
  [['-f', '-o', 'allow_other,ro', 'train.shoal', '/dev/fd/3']],
  [['-o', 'mount', '--lease', '1', '--log', 'ls', 'train.shoal', 'mnt']],
  [['--', '/data/train.shoal', 'mnt']],
])('%j is taken as shoal mount', (args) => {
  expect(withImpliedMount(args)).toEqual(['mount', ...args]);
});

test.each([
  [['mount', 'train.shoal', 'mnt']],
  [['mont', 'train.shoal', 'mnt']],
  [['pack', 'a/b', '-o', 'train.shoal']],
  [['train', 'mnt']],
  [['-']],
  [['--help']],
  [['-o', 'train.shoal']],
  [[]],
])('%j is not', (args) => {
  expect(withImpliedMount(args)).toEqual(args);
});

test('a mistake in a command line without a command is told as one of shoal mount', () => {
  expect(runShoal(['x.shoal'])).toMatchObject({
    status: 2,
    stderr: "shoal: mount: missing required argument 'dir'\n  Try: shoal mount --help\n",
  });
  expect(runShoal(['./none.shoal', 'here'])).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^shoal: mount: /),
  });
  expect(runShoal(['mont', 'x.shoal', 'here'])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('Did you mean mount?'),
  });
});
