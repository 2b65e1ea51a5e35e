import fc from 'fast-check';
import type { Node } from './build-image.ts';

/** Few, so that trees have many paths in common; two are no UTF-8. */
const name = fc
  .constantFrom('a', 'b', 'c', 'd', 'e', '...', '\xff', 'a\xff', 'x'.repeat(255))
  .map((text) => Buffer.from(text, 'latin1'));

const attributes = fc.record({
  mode: fc.constantFrom(0o644, 0o755, 0o400),
  uid: fc.constantFrom(0, 1000),
  seconds: fc.nat(2 ** 31),
});

const leaf: fc.Arbitrary<Node> = fc
  .tuple(
    attributes,
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('file' as const), content: content() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('link' as const), target: target() }) },
      { weight: 1, arbitrary: fc.constant({ kind: 'fifo' as const }) },
    ),
  )
  .map(([shared, special]) => ({ ...shared, ...special }));

function content(): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
}

function target(): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ minLength: 1, maxLength: 20, min: 1 }).map((bytes) => Buffer.from(bytes));
}

const { directory } = fc.letrec<{ directory: Node }>((tie) => ({
  directory: fc
    .tuple(
      attributes,
      fc.uniqueArray(fc.tuple(name, fc.oneof({ maxDepth: 3 }, leaf, tie('directory'), tie('directory'))), {
        maxLength: 6,
        selector: ([bytes]) => bytes.toString('latin1'),
      }),
    )
    .map(([shared, children]): Node => ({ ...shared, nlink: 2, kind: 'directory', children: new Map(children) })),
}));

/** A tree in which, if the root has a file, that has a second name, which sorts last. */
const layer = directory.map((root): Node => {
  if (root.kind !== 'directory') return root;
  const children = [...(root.children as ReadonlyMap<Buffer, Node>)];
  const first = children.find(([, node]) => node.kind === 'file');
  if (first === undefined) return root;
  const [bytes, file] = first;
  const linked: Node = { ...file, nlink: 2 } as Node;
  const others = children.filter(([other]) => other !== bytes);
  return {
    ...root,
    children: new Map([...others, [bytes, linked], [Buffer.from('\xff\xff', 'latin1'), { kind: 'alias', of: linked }]]),
  } as Node;
});

/** Trees for one to five images; later ones win. */
export const arbitraryLayers = fc.array(layer, { minLength: 1, maxLength: 5 });
