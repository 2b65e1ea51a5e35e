import { readFileSync } from 'node:fs';

import type { Node } from '../support/build-image.ts';
import { seededRandom } from '../support/random.ts';

/** Entries of the directory `crowd`. */
export const crowdSize = 30_000;
/** Files of the directory `many`. */
export const manyFiles = 400;

const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;

/** Attributes that no other node has, so that an answer for another entry is noticed. */
const odd = { mode: 0o4640, uid, gid: 4711, nlink: 7, seconds: 1_234_567_890, nanoseconds: 987_654_321 };
const before1970 = { seconds: -1_000_000_001, nanoseconds: 999_999_999 };
const after2446 = { seconds: 2 ** 34 + 5, nanoseconds: 1_000_000 };

const plain = file('plain content\n', odd);
const loop: Node = { kind: 'link', target: Buffer.from('loop'), ...own() };

/** One tree with an entry of every kind and what is hard to get right about each. */
export const contractTree: Node = directory(
  {
    'plain.txt': plain,
    'second-name.txt': { kind: 'alias', of: plain },
    below: directory({ 'third-name.txt': { kind: 'alias', of: plain }, 'file.txt': file('below\n') }),
    empty: file(''),
    'empty-directory': directory({}),
    old: file('old', before1970),
    far: directory({}, after2446),
    foreign: file('of others', { mode: 0o644, uid: 4_000_000_000, gid: 4_294_967_294 }),
    sizes: directory(
      Object.fromEntries(
        [1, 4095, 4096, 131_071, 131_072, 131_073, 1_500_001].map((size) => [`${size}`, file(randomBytes(size))]),
      ),
    ),
    sparse: {
      kind: 'sparse',
      size: 100 << 20,
      data: new Map([
        [0, randomBytes(5000)],
        [10 << 20, randomBytes(131_072)],
        [(50 << 20) + 4096, randomBytes(300_000)],
      ]),
      ...own(),
    },
    'all-hole': { kind: 'sparse', size: 3 << 20, data: new Map(), ...own() },
    fifo: { kind: 'fifo', ...own(), mode: 0o622 },
    null: { kind: 'character', major: 1, minor: 3, ...own(), mode: 0o666 },
    disk: { kind: 'block', major: 4095, minor: 1_048_575, ...own(), mode: 0o660 },
    links: directory({
      relative: link('../plain.txt'),
      absolute: link('/etc/hostname'),
      dangling: link('nothing/here'),
      directory: link('../below'),
      longest: link('x'.repeat(4095)),
      // Bytes that are no UTF-8.
      bytes: { kind: 'link', target: Buffer.from([0x2f, 0xff, 0x80]), ...own() },
    }),
    loop,
    attributed: file('with attributes', {
      xattrs: [
        { name: Buffer.from('user.colour'), value: Buffer.from('blue\0green') },
        { name: Buffer.from('user.empty'), value: Buffer.alloc(0) },
        { name: Buffer.from('user.long'), value: Buffer.alloc(60_000, 'v') },
      ],
    }),
    listed: file('for its owner and 4711', { mode: 0o664, uid: 0, gid: 0, xattrs: [acl()] }),
    names: { ...directory({}), children: namedFiles() } as Node,
    crowd: { ...directory({}), children: crowd() } as Node,
    many: directory(
      Object.fromEntries(Array.from({ length: manyFiles }, (_, i) => [`${i}`, file(randomBytes(i * 37))])),
    ),
    program: file(readFileSync('/bin/echo'), { mode: 0o755 }),
    'no-program': file(readFileSync('/bin/echo'), { mode: 0o644 }),
  },
  { seconds: 1, nanoseconds: 2_000_000 },
);

/** All paths of a tree with their nodes, the root first. */
export function* walkTree(root: Node, path: Buffer = Buffer.alloc(0)): Generator<{ path: Buffer; node: Node }> {
  yield { path, node: root };
  if (root.kind !== 'directory') return;
  for (const [name, child] of childrenOf(root)) {
    yield* walkTree(child, path.length === 0 ? name : Buffer.concat([path, Buffer.from('/'), name]));
  }
}

export function childrenOf(directory: Node & { readonly kind: 'directory' }): [Buffer, Node][] {
  const { children } = directory;
  if (children instanceof Map) return [...children];
  return Object.entries(children).map(([name, node]): [Buffer, Node] => [Buffer.from(name), node]);
}

/** All of it, once: the crowd makes walking long. */
export const contractEntries = [...walkTree(contractTree)];

const byPath = new Map(contractEntries.map(({ path, node }) => [path.toString('latin1'), node]));

/** The node at a path of ASCII names. */
export function nodeAt(path: string): Node {
  const node = byPath.get(path);
  if (node === undefined) throw new Error(`the tree has no ${path}`);
  return node;
}

/** The content of a file, holes as zeros. */
export function contentOf(node: Node): Buffer {
  if (node.kind === 'alias') return contentOf(node.of);
  if (node.kind === 'file') return node.content;
  if (node.kind !== 'sparse') throw new Error(`a ${node.kind} has no content`);
  const content = Buffer.alloc(node.size);
  for (const [offset, bytes] of node.data) bytes.copy(content, offset);
  return content;
}

/** One file for each byte that a name can have, and names that programs get wrong; each file holds its name. */
function namedFiles(): Map<Buffer, Node> {
  const bytes = Array.from({ length: 255 }, (_, i) => Buffer.from([i + 1]));
  const single = bytes.filter((name) => !['/', '.'].includes(name.toString('latin1')));
  const texts = [
    ' ',
    '  leading',
    'trailing ',
    '...',
    '..a',
    '-rf',
    '--help',
    'new\nline',
    'tab\t',
    '\'"`$*?[]{}\\',
    '%41=%3D',
  ];
  const unicode = ['é', 'e\u0301', '日本語', '\ufeffmark', '\ufffd', '𝄞'];
  const longest = [Buffer.alloc(255, 'n'), Buffer.from(`${'é'.repeat(127)}x`), Buffer.alloc(255, 0xff)];
  const names = [...single, ...[...texts, ...unicode].map((text) => Buffer.from(text)), ...longest];
  const unique = new Map(names.map((name) => [name.toString('latin1'), name]));
  return new Map([...unique.values()].map((name) => [name, file(Buffer.concat([Buffer.from('named '), name]))]));
}

function crowd(): Map<Buffer, Node> {
  const node = file('');
  return new Map(Array.from({ length: crowdSize }, (_, i) => [Buffer.from(`entry-${i}`), { ...node }]));
}

function own() {
  return { mode: 0o644, uid, gid };
}

function file(content: string | Buffer, more: Partial<Node> = {}): Node {
  return { kind: 'file', content: Buffer.from(content), ...own(), ...more } as Node;
}

function directory(children: Readonly<Record<string, Node>>, more: Partial<Node> = {}): Node {
  return { kind: 'directory', children, uid, gid, mode: 0o755, nlink: 2, ...more } as Node;
}

function link(target: string): Node {
  return { kind: 'link', target: Buffer.from(target), ...own(), mode: 0o777 };
}

function randomBytes(length: number): Buffer {
  const random = seededRandom(length);
  return Buffer.from(Uint8Array.from({ length }, () => random() * 256));
}

/** Nobody but the owner and user 4711 may read (include/uapi/linux/posix_acl_xattr.h); the group's bits of the mode are the mask. */
function acl() {
  const noId = 0xffff_ffff;
  const rows = [
    [0x01, 6, noId], // owner
    [0x02, 4, 4711], // user 4711
    [0x04, 0, noId], // owning group
    [0x10, 6, noId], // mask
    [0x20, 0, noId], // others
  ] as const;
  const value = Buffer.alloc(4 + rows.length * 8);
  value.writeUInt32LE(2);
  rows.forEach(([tag, permissions, id], row) => {
    value.writeUInt16LE(tag, 4 + row * 8);
    value.writeUInt16LE(permissions, 6 + row * 8);
    value.writeUInt32LE(id, 8 + row * 8);
  });
  return { name: Buffer.from('system.posix_acl_access'), value };
}
