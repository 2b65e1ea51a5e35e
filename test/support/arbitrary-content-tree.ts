import fc from 'fast-check';
import { arbitraryName, arbitraryXattr } from './arbitrary-tree.ts';
import type { Node } from './build-image.ts';
import { seededRandom } from './random.ts';

/** Unlike those of arbitrary-tree.ts these trees can be read: their files have content, and every user may look at everything. */
type Directory = Node & { readonly kind: 'directory' };

const metadata = fc.record({
  mode: fc.constantFrom(0o555, 0o755, 0o7777, 0o1777),
  uid: fc.constantFrom(0, 1000, 0xffff_fffe),
  gid: fc.constantFrom(0, 1000, 0xffff_fffe),
  nlink: fc.constantFrom(1, 2, 0xffff_ffff),
  seconds: fc.oneof(
    fc.constantFrom(0, -1, 2 ** 31, 2 ** 33, -(2 ** 33) - 1),
    fc.integer({ min: -(2 ** 34), max: 2 ** 40 }),
  ),
  nanoseconds: fc.constantFrom(0, 1, 999_999, 1_000_000, 999_999_999),
  xattrs: fc.uniqueArray(arbitraryXattr, { maxLength: 2, selector: ({ name }) => name.toString() }),
});

const size = fc.oneof(fc.nat(5000), fc.constantFrom(1, 4096, 131_071, 131_072, 131_073, 262_144), fc.nat(400_000));

const content = fc.tuple(size, fc.nat()).map(([length, seed]) => {
  const random = seededRandom(seed);
  return Buffer.from(Uint8Array.from({ length }, () => random() * 256));
});

/** Data between holes, and perhaps a hole at the end. */
const sparse = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(0, 1, 4096, 65_536, 10_000_000), content), { maxLength: 4 }),
    fc.constantFrom(0, 1, 65_536, 2 ** 33),
  )
  .map(([parts, last]) => {
    const data = new Map<number, Buffer>();
    let at = 0;
    for (const [hole, bytes] of parts.filter(([, part]) => part.length > 0)) {
      data.set(at + hole, bytes);
      at += hole + bytes.length;
    }
    return { kind: 'sparse' as const, data, size: at + last };
  });

const leaf: fc.Arbitrary<Node> = fc
  .tuple(
    metadata,
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('file' as const), content }) },
      { weight: 2, arbitrary: sparse },
      fc.record({
        kind: fc.constant('link' as const),
        target: fc.uint8Array({ minLength: 1, maxLength: 4095, min: 1 }).map((bytes) => Buffer.from(bytes)),
      }),
      fc.record({
        kind: fc.constantFrom('character' as const, 'block' as const),
        major: fc.nat(4095),
        minor: fc.nat(0xf_ffff),
      }),
      fc.record({ kind: fc.constant('fifo' as const) }),
    ),
  )
  .map(([shared, special]) => ({ ...shared, ...special }));

const { directory } = fc.letrec<{ directory: Directory; node: Node }>((tie) => ({
  node: fc.oneof({ depthSize: 'small' }, leaf, tie('directory')),
  directory: fc
    .tuple(
      metadata,
      fc.uniqueArray(fc.tuple(arbitraryName, tie('node')), {
        maxLength: 12,
        selector: ([name]) => name.toString('latin1'),
      }),
    )
    .map(([shared, children]) => ({ ...shared, kind: 'directory', children: new Map(children) })),
}));

/** Further names of the root's files, in its directories: behind them in the order of the index. */
export const arbitraryContentTree: fc.Arbitrary<Directory> = fc.tuple(directory, fc.nat(3)).map(([root, aliases]) => {
  const children = [...(root.children as ReadonlyMap<Buffer, Node>)];
  const files = children.map(([, node]) => node).filter(({ kind }) => kind !== 'directory');
  const named = files
    .slice(0, aliases)
    .map((of, i): [Buffer, Node] => [Buffer.from(`alias ${i}`), { kind: 'alias', of }]);
  const withAliases = (node: Node): Node =>
    node.kind === 'directory'
      ? { ...node, children: new Map([...(node.children as ReadonlyMap<Buffer, Node>), ...named]) }
      : node;
  return { ...root, children: new Map(children.map(([name, node]) => [name, withAliases(node)])) };
});
