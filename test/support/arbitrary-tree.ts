import fc from 'fast-check';
import type { Xattr } from '../../src/format/xattrs.ts';
import { alias, indexOrder, type ModelNode } from './model-tree.ts';

/** Bytes of a name: 1 to 255, no `/` or NUL, neither `.` nor `..`. */
export const arbitraryName = fc
  .oneof(
    { weight: 8, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 12 }) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 255, maxLength: 255 }) },
    {
      weight: 3,
      arbitrary: fc.constantFrom('a', 'b', '...', '-rf', ' ', '\n').map((text): Uint8Array => Buffer.from(text)),
    },
  )
  .map((bytes) => Buffer.from(Array.from(bytes, (byte) => (byte === 0 || byte === 0x2f ? 0x41 : byte))))
  .filter((bytes) => !['.', '..'].includes(bytes.toString('latin1')));

export const arbitraryXattr: fc.Arbitrary<Xattr> = fc.record({
  name: fc.constantFrom('user.a', 'user.b', 'security.selinux').map((text) => Buffer.from(text)),
  value: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

const metadata = fc.record({
  uid: fc.constantFrom(0, 1000, 0xffffffff),
  gid: fc.constantFrom(0, 1000),
  nlink: fc.constantFrom(1, 2, 0xffffffff),
  seconds: fc.oneof(
    fc.constantFrom(0, -1, 2 ** 33 - 1, 2 ** 33, -(2 ** 33), -(2 ** 33) - 1, 2 ** 31, 2 ** 53 - 1, -(2 ** 53) + 1),
    fc.integer({ min: -(2 ** 34), max: 2 ** 34 }),
  ),
  nanoseconds: fc.constantFrom(0, 1, 999_999_999, 536_870_912),
  xattrs: fc.uniqueArray(arbitraryXattr, { maxLength: 2, selector: (attribute) => attribute.name.toString() }),
});

const permissions = fc.constantFrom(0, 0o644, 0o755, 0o7777);

/** A node of any kind but directory, without its name. */
const leaf: fc.Arbitrary<Omit<ModelNode, 'name'>> = fc
  .tuple(
    metadata,
    permissions,
    fc.oneof(
      fc.record({
        mode: fc.constant(0o100000),
        size: fc.constantFrom(1, 131072, 131073, 2 ** 40 - 1, 2 ** 40, 2 ** 43),
        offset: fc.constantFrom(0, 512, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1),
        checksum: fc.nat(0xffffffff),
      }),
      fc.record({ mode: fc.constant(0o100000), size: fc.constant(0) }),
      fc.record({
        mode: fc.constant(0o100000),
        size: fc.constant(10_000_000),
        extents: fc.constantFrom(
          [],
          [[4096, 8192, 512]] as const,
          [
            [0, 1, 0],
            [2, 9_999_998, 1],
          ] as const,
        ),
      }),
      fc.record({
        mode: fc.constant(0o120000),
        target: fc.uint8Array({ minLength: 1, maxLength: 40, min: 1 }).map((bytes) => Buffer.from(bytes)),
      }),
      fc.record({ mode: fc.constantFrom(0o20000, 0o60000), device: fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)) }),
      fc.record({ mode: fc.constantFrom(0o10000, 0o140000) }),
    ),
  )
  .map(([shared, bits, special]) => ({ ...shared, ...special, mode: special.mode | bits }));

const { directory } = fc.letrec<{ directory: Omit<ModelNode, 'name'>; node: ModelNode }>((tie) => ({
  node: fc
    .tuple(arbitraryName, fc.oneof({ depthSize: 'small' }, leaf, tie('directory')))
    .map(([bytes, rest]) => ({ ...rest, name: bytes })),
  directory: fc
    .tuple(
      metadata,
      permissions,
      fc.uniqueArray(tie('node'), { maxLength: 12, selector: (node) => node.name.toString('latin1') }),
    )
    .map(([shared, bits, children]) => ({ ...shared, mode: 0o40000 | bits, children })),
}));

/** A tree with entries of all kinds and, where it has files, some further names of the first one of a directory. */
export const arbitraryTree: fc.Arbitrary<ModelNode> = fc
  .tuple(directory, fc.nat(3))
  .map(([root, aliases]) => withAliases({ ...root, name: Buffer.alloc(0) }, aliases));

/** Adds names that sort behind all others to the root, for entries that stand before them in index order. */
function withAliases(root: ModelNode, count: number): ModelNode {
  const first = indexOrder(root).find(
    ({ node, parent }, number) => number > 0 && parent === 0 && node.children === undefined,
  )?.node;
  if (first === undefined) return root;
  const names = Array.from({ length: count }, (_, i) => Buffer.concat([Buffer.alloc(254, 0xff), Buffer.from([i + 1])]));
  return { ...root, children: [...(root.children ?? []), ...names.map((bytes) => alias(bytes, first))] };
}
