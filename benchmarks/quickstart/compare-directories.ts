import { type BigIntStats, closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { showBytes } from '../../src/base/entry-path.ts';

export interface Comparison {
  entries: number;
  bytes: number;
  /** One line for each difference. */
  readonly differences: string[];
}

/** What is not compared where it cannot be the same. */
export interface CompareRules {
  /** Whether a directory's link count belongs to the entry, as in a mount, or to the filesystem, as after extraction. */
  readonly directoryLinks: boolean;
}

const pieceLength = 1 << 20;

/**
 * Holds two directories against each other, by calls that every program makes: names, type, permissions, owner, group, links, size, mtime in
 * nanoseconds, device number, link target, content; and that two names are one file in `found` exactly where they are in `expected`.
 */
export async function compareDirectories(expected: string, found: string, rules: CompareRules): Promise<Comparison> {
  const comparison: Comparison = { entries: 0, bytes: 0, differences: [] };
  const pairs = new InodePairs();
  const pending: Buffer[] = [Buffer.from('.')];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const [left, right] = [within(expected, path), within(found, path)];
    const [before, after] = [lstatSync(left, { bigint: true }), lstatSync(right, { bigint: true })];
    const differences = attributeDifferences(before, after, rules);
    comparison.entries++;
    if (!pairs.match(before, after))
      differences.push(`inode: ${before.ino} and ${after.ino} stand for other files elsewhere`);

    if (differences.length === 0 && before.isSymbolicLink()) differences.push(...targetDifferences(left, right));
    if (differences.length === 0 && before.isFile()) {
      comparison.bytes += Number(before.size);
      differences.push(...contentDifferences(left, right));
    }
    if (before.isDirectory() && after.isDirectory()) {
      const [names, others] = [sortedNames(left), sortedNames(right)];
      differences.push(...nameDifferences(names, others));
      for (const name of names) if (others.some((other) => other.equals(name))) pending.push(within(path, name));
    }
    for (const difference of differences) comparison.differences.push(`${showBytes(path)}: ${difference}`);
    // So that a signal is heard.
    if (comparison.entries % 256 === 0) await setImmediate();
  }
  return comparison;
}

/** Which inode of one side is which of the other: a one-to-one relation if both have the same hard links. */
class InodePairs {
  readonly #found = new Map<string, string>();
  readonly #expected = new Map<string, string>();

  /** Whether the two belong together, as far as was seen. */
  match(before: BigIntStats, after: BigIntStats): boolean {
    const [left, right] = [`${before.dev}:${before.ino}`, `${after.dev}:${after.ino}`];
    if (!this.#found.has(left) && !this.#expected.has(right)) {
      this.#found.set(left, right);
      this.#expected.set(right, left);
    }
    return this.#found.get(left) === right && this.#expected.get(right) === left;
  }
}

function attributeDifferences(before: BigIntStats, after: BigIntStats, { directoryLinks }: CompareRules): string[] {
  const directory = before.isDirectory();
  const fields = {
    'type and mode': [before.mode, after.mode],
    uid: [before.uid, after.uid],
    gid: [before.gid, after.gid],
    mtime: [before.mtimeNs, after.mtimeNs],
    device: [before.rdev, after.rdev],
    // A directory's size is its filesystem's affair.
    size: directory ? [0n, 0n] : [before.size, after.size],
    links: directory && !directoryLinks ? [0n, 0n] : [before.nlink, after.nlink],
  };
  return Object.entries(fields)
    .filter(([, [left, right]]) => left !== right)
    .map(([field, [left, right]]) => `${field}: ${left}, but ${right}`);
}

function targetDifferences(left: Buffer, right: Buffer): string[] {
  const [target, other] = [readlinkSync(left, 'buffer'), readlinkSync(right, 'buffer')];
  return target.equals(other) ? [] : [`link target: ${showBytes(target)}, but ${showBytes(other)}`];
}

function contentDifferences(left: Buffer, right: Buffer): string[] {
  const [one, two] = [openSync(left, 'r'), openSync(right, 'r')];
  const [piece, other] = [Buffer.allocUnsafe(pieceLength), Buffer.allocUnsafe(pieceLength)];
  try {
    for (let offset = 0; ; offset += pieceLength) {
      const [length, otherLength] = [readFully(one, piece, offset), readFully(two, other, offset)];
      if (!piece.subarray(0, length).equals(other.subarray(0, otherLength))) return [`content from ${offset} on`];
      if (length < pieceLength) return [];
    }
  } finally {
    closeSync(one);
    closeSync(two);
  }
}

function readFully(descriptor: number, into: Buffer, offset: number): number {
  let done = 0;
  for (let got = -1; got !== 0 && done < into.length; done += got)
    got = readSync(descriptor, into, done, into.length - done, offset + done);
  return done;
}

function sortedNames(directory: Buffer): Buffer[] {
  return readdirSync(directory, 'buffer').sort(Buffer.compare);
}

function nameDifferences(names: readonly Buffer[], others: readonly Buffer[]): string[] {
  const known = new Set(names.map((name) => name.toString('latin1')));
  const found = new Set(others.map((name) => name.toString('latin1')));
  return [
    ...names.filter((name) => !found.has(name.toString('latin1'))).map((name) => `"${showBytes(name)}" is missing`),
    ...others.filter((name) => !known.has(name.toString('latin1'))).map((name) => `"${showBytes(name)}" is too much`),
  ];
}

function within(directory: string | Buffer, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(directory), Buffer.from('/'), name]);
}
