import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { takeAwayMounts } from '../mount/scene.ts';
import { arbitraryContentTree } from '../support/arbitrary-content-tree.ts';
import { type BuiltImage, buildImage, type Node } from '../support/build-image.ts';
import { compressImage } from '../support/compress-image.ts';
import { fuseUnavailable } from '../support/fuse-available.ts';
import { nativeAddon } from '../support/native.ts';
import { seededRandom } from '../support/random.ts';
import { removeTree } from '../support/remove-tree.ts';
import { attributesOf, isReachable } from './attributes.ts';
import { childrenOf, walkTree } from './contract-tree.ts';
import { type Abilities, type ContractEngine, jsEngine, nativeEngine } from './engines.ts';
import { type Answer, callSystem, type SystemCall } from './system-calls.ts';

/** Each mounts once with either engine. */
const trees = 20;
/** For a busy machine, and for shrinking what failed. */
const limitMilliseconds = 90_000;
const readsOfEachFile = 8;

type Directory = Node & { readonly kind: 'directory' };
type File = Node & { readonly kind: 'file' | 'sparse' };

interface Question {
  readonly call: SystemCall;
  readonly answer: Answer;
}

/** Of compressed volumes; undefined: the volume is plain. */
const arbitraryFrameLength = fc.constantFrom(undefined, 16_384, 131_072);

for (const engine of [nativeEngine, jsEngine]) {
  test(`random trees are served as they are in memory: ${engine.name}`, async (ctx) => {
    nativeAddon(ctx);
    const reason = fuseUnavailable() ?? engine.missing();
    if (reason !== undefined) ctx.skip(reason);
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'shoal-random-')));
    onTestFinished(() => {
      takeAwayMounts(root);
      removeTree(root);
    });
    await fc.assert(
      fc.asyncProperty(arbitraryContentTree, arbitraryFrameLength, fc.nat(), (tree, frameLength, seed) =>
        checkTree(engine, root, tree, frameLength, seed),
      ),
      { numRuns: trees, interruptAfterTimeLimit: limitMilliseconds },
    );
  }, 300_000);
}

async function checkTree(
  engine: ContractEngine,
  root: string,
  tree: Node,
  frameLength: number | undefined,
  seed: number,
): Promise<void> {
  const place = mkdtempSync(join(root, 'tree-'));
  const directory = join(place, 'mounted');
  mkdirSync(directory);
  const image = buildImage(place, 'image', tree);
  if (frameLength !== undefined) compressImage(image.index, { frameLength });
  const server = await engine.serve(image.index, directory, {}, join(place, 'log'));
  try {
    const questions = [...questionsAbout(tree, image, directory, engine.abilities, seed)];
    const answers = callSystem(questions.map(({ call }) => call));
    // One by one: a matcher takes long over so many, and shows all that is right, too.
    const wrong = questions.flatMap(({ call, answer }, i) =>
      isDeepStrictEqual(answers[i], answer) ? [] : [{ call, expected: answer, found: answers[i] }],
    );
    expect(wrong).toEqual([]);
  } finally {
    await server.stop();
    removeTree(place);
  }
}

/** Everything about every path, in a random order, with the answers that the tree in memory gives. */
function questionsAbout(
  tree: Node,
  image: BuiltImage,
  directory: string,
  abilities: Abilities,
  seed: number,
): Question[] {
  const random = seededRandom(seed);
  const questions: Question[] = [];
  for (const { path, node } of walkTree(tree)) {
    const at = Buffer.concat([Buffer.from(`${directory}/`), path]);
    if (!isReachable(path, abilities)) {
      questions.push({ call: ['lstat', at], answer: { error: 'ENOENT' } });
      continue;
    }
    const meant = node.kind === 'alias' ? node.of : node;
    questions.push({ call: ['lstat', at], answer: { value: attributesOf(node, image.numbers, abilities) } });
    questions.push({ call: ['listxattr', at, 1000], answer: { value: xattrList(meant) } });
    for (const { name, value } of meant.xattrs ?? []) {
      // Files and directories alone have attributes of users (xattr(7)): the kernel does not even ask.
      const kept = !name.toString().startsWith('user.') || ['file', 'sparse', 'directory'].includes(meant.kind);
      const told = { value: { length: value.length, bytes: value.toString('hex') } };
      questions.push({ call: ['getxattr', at, name.toString(), 1000], answer: kept ? told : { error: 'ENODATA' } });
    }
    if (meant.kind === 'directory')
      questions.push({ call: ['names', at], answer: { value: namesIn(meant, abilities) } });
    if (meant.kind === 'link') questions.push({ call: ['readlink', at], answer: target(meant.target, abilities) });
    if (meant.kind === 'file' || meant.kind === 'sparse') questions.push(...readsOf(meant, at, random));
  }
  return questions.sort(() => random() - 0.5);
}

function xattrList(node: Node): unknown {
  const names = (node.xattrs ?? []).map(({ name }) => name.toString()).sort();
  return { length: names.join('\0').length + Math.min(1, names.length), names };
}

function namesIn(directory: Directory, abilities: Abilities): string[] {
  const names = childrenOf(directory).map(([name]) => name);
  const dots = ['.', '..'].map((name) => Buffer.from(name));
  const shown = [...dots, ...names.filter((name) => isReachable(name, abilities))];
  return shown.map((name) => name.toString('hex')).sort();
}

function target(bytes: Buffer, { anyBytes }: Abilities): Answer {
  return anyBytes || isUtf8(bytes) ? { value: bytes.toString('hex') } : { error: 'EILSEQ' };
}

/** Reads anywhere, also at the places where data begins and ends, and behind the end of the file. */
function readsOf(file: File, at: Buffer, random: () => number): Question[] {
  const data = file.kind === 'file' ? new Map([[0, file.content]]) : file.data;
  const size = file.kind === 'file' ? file.content.length : file.size;
  const edges = [0, size, ...[...data].flatMap(([offset, bytes]) => [offset, offset + bytes.length])];
  const places = Array.from({ length: readsOfEachFile }, (_, i): [number, number] => {
    const near =
      i % 2 === 0 ? size * random() : (edges[Math.floor(random() * edges.length)] ?? 0) - 100 + 200 * random();
    return [Math.max(0, Math.floor(near)), 1 + Math.floor(random() * 200_000)];
  });
  const sums = places.map(([offset, length]) => {
    return createHash('sha1')
      .update(bytesOf(data, size, offset, length))
      .digest('hex');
  });
  return [false, true].map((direct) => ({ call: ['preads', at, places, direct], answer: { value: sums } }));
}

function bytesOf(data: ReadonlyMap<number, Buffer>, size: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
  for (const [start, part] of data) {
    if (start >= offset + bytes.length || start + part.length <= offset) continue;
    part.copy(bytes, Math.max(0, start - offset), Math.max(0, offset - start));
  }
  return bytes;
}
