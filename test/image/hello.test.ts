import {
  chmodSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/image/entry.ts';
import { openImage } from '../../src/image/open-image.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { helloContents, helloFiles, helloOwner, helloTime } from '../fixtures/hello-image.ts';
import { nativeAddon } from '../support/native.ts';
import { readEverything } from '../support/read-everything.ts';

const frozen = join(import.meta.dirname, '../fixtures/hello/hello');

describe('the frozen worked example', () => {
  it('is read as what it is', () => {
    const hello = openImage(`${frozen}.shoal`);
    const paths = Array.from({ length: hello.index.entryCount }, (_, number) =>
      hello.index.entryPath(number).toString(),
    );
    expect(paths).toEqual(['', 'docs', 'empty', 'latest', 'readme.txt', 'docs/again.txt', 'docs/guide.txt']);
    for (const [path, content] of Object.entries(helloContents)) {
      const entry = hello.index.resolvePath(Buffer.from(path)) as Entry;
      expect(hello.read(entry, 0, 1000)).toEqual(content);
      expect(entry).toMatchObject({ uid: 1000, gid: 1000, mode: 0o100644, seconds: 1_735_689_600 });
    }
    expect(hello.index.linkTarget(hello.index.get(3)).toString()).toBe('docs/guide.txt');
    expect(hello.index.get(5)).toMatchObject({ alias: true, target: 4 });
    expect(hello.index.totals(hello.index.get(0))).toEqual({ bytes: 31 + 41 + 14, entries: 6 });
    hello.close();
  });

  it('has the words that its page shows', () => {
    const page = readFileSync(join(frozen, '../README.md'), 'utf8');
    const rows = [...page.matchAll(/^ {4}(\d) ((?: [0-9a-f]{8}){8})$/gm)];
    expect(rows.length).toBe(7);
    const index = readFileSync(`${frozen}.shoal`);
    for (const [, entry, words] of rows) {
      const found = Array.from({ length: 8 }, (_, word) => index.readUInt32LE(4096 + 512 * word + 4 * Number(entry)));
      expect(words.trim().split(' ')).toEqual(found.map((word) => word.toString(16).padStart(8, '0')));
    }
  });

  it('is what the writer makes today, byte for byte', () => {
    const made = helloFiles();
    expect(made.get('hello.shoal')?.equals(readFileSync(`${frozen}.shoal`))).toBe(true);
    expect(made.get('hello.tar')?.equals(readFileSync(`${frozen}.tar`))).toBe(true);
  });

  it('is what the packer makes of the same tree', async (ctx) => {
    nativeAddon(ctx);
    if (process.getuid?.() !== 0) return ctx.skip('only root may give files to another owner');
    const scratch = mkdtempSync(join(tmpdir(), 'shoal-hello-'));
    const tree = join(scratch, 'tree');
    mkdirSync(tree);
    makeTree(tree);
    await packTree([tree], join(scratch, 'hello.shoal'));
    // The volume's head has the id, which covers all of the index but volumes and metadata; the latter tell the tool's version.
    expect(readFileSync(join(scratch, 'hello.tar')).equals(readFileSync(`${frozen}.tar`))).toBe(true);
    expect(answers(join(scratch, 'hello.shoal'))).toEqual(answers(`${frozen}.shoal`));
    rmSync(scratch, { recursive: true });
  });
});

/** All that an index says, but for its metadata. */
function answers(path: string): string[] {
  const image = openImage(path);
  const lines = readEverything(image.index).filter((line) => !line.startsWith('"metadata"'));
  image.close();
  return lines;
}

/** The tree that the frozen image was made of. */
function makeTree(root: string): void {
  const files = { 'readme.txt': 0o644, 'docs/guide.txt': 0o644 };
  for (const directory of ['docs', 'empty']) mkdirSync(join(root, directory), { recursive: true });
  for (const [path, mode] of Object.entries(files)) {
    writeFileSync(join(root, path), helloContents[path]);
    chmodSync(join(root, path), mode);
  }
  linkSync(join(root, 'readme.txt'), join(root, 'docs/again.txt'));
  symlinkSync('docs/guide.txt', join(root, 'latest'));
  // Children before the directories that they are in, whose mtime they change.
  for (const path of ['latest', 'readme.txt', 'docs/guide.txt', 'docs', 'empty', '']) {
    lchownSync(join(root, path), helloOwner, helloOwner);
    if (['docs', 'empty', ''].includes(path)) chmodSync(join(root, path), 0o755);
    lutimesSync(join(root, path), helloTime, helloTime);
  }
}
