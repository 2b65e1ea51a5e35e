import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BuiltImage, buildImage, type Node } from './build-image.ts';

const file = (content: string | Buffer, more: object = {}): Node => ({
  kind: 'file',
  content: Buffer.from(content),
  ...more,
});
const link = (target: string): Node => ({ kind: 'link', target: Buffer.from(target), mode: 0o777 });

/** A file with a second name. */
export const hello = file('hello\n', { mode: 0o4755, uid: 1000, gid: 100, nlink: 2, seconds: 1.7e9, nanoseconds: 5 });
/** Three chunks, the last one short. */
export const large = file(Buffer.alloc(300_000, 'shoal '), {
  xattrs: [{ name: Buffer.from('user.note'), value: Buffer.of(1, 255) }],
});
export const largeContent = Buffer.alloc(300_000, 'shoal ');
/** `b`, a byte that is no UTF-8, a newline. */
export const oddName = Buffer.from([0x62, 0xff, 0x0a]);

const tree: Node = {
  kind: 'directory',
  mode: 0o755,
  children: new Map<Buffer, Node>([
    [Buffer.from('-dash'), file('dash')],
    [Buffer.from('.hidden'), file('')],
    [Buffer.from('a.txt'), hello],
    [oddName, file('odd')],
    [
      Buffer.from('dir'),
      {
        kind: 'directory',
        mode: 0o755,
        nlink: 3,
        children: {
          absolute: link('/etc/passwd'),
          again: { kind: 'alias', of: hello },
          empty: { kind: 'directory', children: {}, mode: 0o700 },
          hole: { kind: 'sparse', size: 1_000_000, data: new Map([[500_000, Buffer.from('data')]]) },
          large,
          loop: link('loop'),
          null: { kind: 'character', major: 1, minor: 3, mode: 0o666 },
          out: link('../../a.txt'),
          pipe: { kind: 'fifo' },
          up: link('.././/dir/../a.txt'),
        },
      },
    ],
  ]),
};

export interface SampleImage extends BuiltImage {
  /** Holds the image and nothing else. */
  readonly directory: string;
  remove(): void;
}

/** An image with entries of every kind, in a directory of its own. */
export function makeSampleImage(): SampleImage {
  const directory = mkdtempSync(join(tmpdir(), 'shoal-cli-'));
  return {
    ...buildImage(directory, 'sample', tree),
    directory,
    remove: () => rmSync(directory, { recursive: true }),
  };
}
