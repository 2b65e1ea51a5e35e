import { constants } from 'node:fs';
import { expect, test } from 'vitest';
import type { GiveServed } from './describe-contract.ts';
import { callSystem } from './system-calls.ts';

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, O_DIRECTORY, O_NONBLOCK, O_NOFOLLOW } = constants;

/** What a program gets that asks for what cannot be: the call, the path, further arguments. */
const refusals: Readonly<Record<string, readonly (readonly [call: string, path: string, ...more: unknown[]])[]>> = {
  ENOENT: [
    ['lstat', 'nothing'],
    ['lstat', 'empty-directory/nothing'],
    ['lstat', 'nothing/below'],
    ['open', 'nothing', O_RDONLY],
    ['open', 'links/dangling', O_RDONLY],
    ['readlink', 'nothing'],
    ['list', 'nothing'],
    ['getxattr', 'nothing', 'user.colour', 0],
  ],
  ENOTDIR: [
    ['lstat', 'plain.txt/below'],
    ['lstat', 'fifo/below'],
    ['list', 'plain.txt'],
    ['chdir', 'plain.txt'],
    ['open', 'plain.txt', O_RDONLY | O_DIRECTORY],
    ['open', 'links/relative', O_RDONLY | O_DIRECTORY],
  ],
  EISDIR: [
    ['pread', 'below', 10, 0],
    ['open', 'below', O_WRONLY],
    ['open', 'below', O_RDWR],
    ['truncate', 'below'],
  ],
  EROFS: [
    ['open', 'plain.txt', O_WRONLY],
    ['open', 'plain.txt', O_RDWR],
    ['open', 'plain.txt', O_WRONLY | O_APPEND],
    ['open', 'plain.txt', O_RDONLY | O_TRUNC],
    ['open', 'new', O_WRONLY | O_CREAT],
    ['open', 'below/new', O_RDONLY | O_CREAT],
    ['access_to_write', 'plain.txt'],
    ['mkdir', 'new'],
    ['mkfifo', 'new'],
    ['mknod', 'new'],
    ['symlink', 'new'],
    ['link', 'plain.txt'],
    ['rename', 'plain.txt'],
    ['rename', 'below'],
    ['unlink', 'plain.txt'],
    ['rmdir', 'empty-directory'],
    ['chmod', 'plain.txt'],
    ['chown', 'plain.txt'],
    ['utime', 'plain.txt'],
    ['truncate', 'plain.txt'],
    ['setxattr', 'plain.txt', 'user.new'],
    ['removexattr', 'attributed', 'user.colour'],
  ],
  EINVAL: [
    ['readlink', 'plain.txt'],
    ['readlink', 'below'],
    ['lseek', 'plain.txt', -1, 'SEEK_SET'],
  ],
  ENODATA: [
    ['getxattr', 'plain.txt', 'user.none', 0],
    ['getxattr', 'below', 'user.none', 100],
  ],
  ENAMETOOLONG: [
    ['lstat', 'n'.repeat(256)],
    ['lstat', `below/${'é'.repeat(128)}`],
    ['open', 'n'.repeat(1000), O_RDONLY],
    ['lstat', 'below/'.repeat(700)],
  ],
  ELOOP: [
    ['open', 'loop', O_RDONLY],
    ['open', 'links/relative', O_RDONLY | O_NOFOLLOW],
    ['lstat', 'loop/below'],
  ],
  ENXIO: [
    ['lseek', 'plain.txt', 14, 'SEEK_DATA'],
    ['lseek', 'plain.txt', 14, 'SEEK_HOLE'],
    ['lseek', 'empty', 0, 'SEEK_DATA'],
    ['lseek', 'sparse', 200 << 20, 'SEEK_HOLE'],
    ['open', 'fifo', O_WRONLY | O_NONBLOCK],
  ],
  EACCES: [
    ['open', 'null', O_RDONLY],
    ['open', 'disk', O_RDONLY],
    ['execute', 'no-program', ''],
    ['execute', 'below', ''],
  ],
  ENOTTY: [['ioctl', 'plain.txt']],
};

export function errorTests(give: GiveServed): void {
  for (const [error, refused] of Object.entries(refusals)) {
    test(`what cannot be is refused with ${error}`, (ctx) => {
      const { at } = give(ctx);
      const answers = callSystem(refused.map(([call, path, ...more]) => [call, at(path), ...more]));
      const told = refused.map(([call, path], i) => `${call} ${path.slice(0, 40)}: ${answers[i]?.error ?? 'done'}`);
      expect(told).toEqual(refused.map(([call, path]) => `${call} ${path.slice(0, 40)}: ${error}`));
    });
  }
}
