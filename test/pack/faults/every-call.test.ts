import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openImage } from '../../../src/image/open-image.ts';
import { verifyImage } from '../../../src/image/verify.ts';
import { scratchDirectory } from '../pack-process.ts';
import { callsOf, type Fault, run, runFailing } from './failing-run.ts';

// Runs of `shoal pack --remove-source` that are stopped at each of the calls by which they change anything.

const scratch = scratchDirectory();
const original = join(scratch.path, 'original');
/** Path → type and content of everything in the tree. */
let expected: Map<string, string>;

/** A way to pack, and what is known of it. */
interface Way {
  readonly name: string;
  readonly options: readonly string[];
  readonly faults: readonly Fault[];
  /** Calls that an undisturbed run makes, at least. */
  readonly least: number;
}

const ways: readonly Way[] = [
  { name: 'as a whole', options: [], faults: ['kill', 'torn', 'EIO', 'ENOSPC', 'EDQUOT'], least: 50 },
  { name: 'compressed', options: ['--compress', 'zstd:1'], faults: ['kill', 'torn', 'ENOSPC'], least: 50 },
  // The calls of a slice are those of a whole; what is different is what has been done when they fail.
  { name: 'in slices', options: ['--max-extra', '3400000'], faults: ['kill', 'ENOSPC'], least: 150 },
];

beforeAll(async () => {
  execFileSync('bash', [
    '-ec',
    `mkdir -p ${original}/a/b ${original}/empty; cd ${original}
     echo one > a/1; echo two > a/b/2; ln a/1 a/b/again; ln -s nowhere link; mkfifo fifo; : > nothing
     for name in large middle between; do head -c 700000 /dev/zero | tr '\\0' x > $name; done; head -c 3000000 /dev/zero > huge; truncate -s 1M holes; chmod 500 a/b; touch -d 2001-02-03 a/1 large`,
  ]);
  expected = statesBelow(original);
});
afterAll(scratch.remove);

describe.each(ways)('packing $name', ({ options, faults, least }) => {
  /** What an undisturbed run makes, by name. */
  let reference: Map<string, Buffer>;
  let calls: string[];

  beforeAll(async () => {
    const place = placeFor('reference');
    calls = await callsOf(packing(place, options), place, join(scratch.path, 'calls'));
    reference = filesIn(place);
    execFileSync('rm', ['-r', place, join(scratch.path, 'calls')]);
  });

  test.each(faults)(
    '%s at every call: no byte is lost, the image is whole or absent, and --resume makes the same image and removes the rest',
    async (fault) => {
      expect(calls.length).toBeGreaterThan(least);
      const numbers = calls.map((_, i) => i + 1);
      const worker = async () => {
        for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
          await stopAt(number, fault, options, reference, `${fault} at call ${number}, ${calls[number - 1]}`);
        }
      };
      await Promise.all([worker(), worker()]);
    },
    600_000,
  );
});

async function stopAt(
  number: number,
  fault: Fault,
  options: readonly string[],
  reference: Map<string, Buffer>,
  what: string,
): Promise<void> {
  const place = placeFor(`${fault}-${number}`);
  const command = packing(place, options);
  const stopped = await runFailing(command, { below: place, at: number, fault });
  if (stopped.status === null) expect([what, stopped.signal]).toEqual([what, 'SIGKILL']);
  else expect([what, [0, 1, 4]]).toEqual([what, expect.arrayContaining([stopped.status])]);
  if (stopped.status !== 0 && stopped.status !== null) expect(`${what}: ${stopped.stderr}`).toMatch(/shoal: /);
  await expectNothingLost(place, what);

  const resumed = await run([...command, '--resume']);
  expect([what, resumed.status, resumed.stderr]).toEqual([what, 0, '']);
  expect([what, existsSync(join(place, 'tree'))]).toEqual([what, false]);
  const made = filesIn(place);
  expect([what, [...made.keys()]]).toEqual([what, [...reference.keys()]]);
  for (const [name, bytes] of reference)
    expect([what, name, made.get(name)?.equals(bytes)]).toEqual([what, name, true]);
  execFileSync('rm', ['-rf', place]);
}

function filesIn(directory: string): Map<string, Buffer> {
  return new Map(
    readdirSync(directory)
      .sort()
      .map((name) => [name, readFileSync(join(directory, name))]),
  );
}

/** Each entry is in the tree, as it was or set aside, or it is in a published image that is whole. */
async function expectNothingLost(place: string, what: string): Promise<void> {
  const held = new Map<string, string>();
  for (const name of readdirSync(place).filter((each) => each.endsWith('.shoal'))) {
    for (const [path, state] of await contentsOfImage(join(place, name))) held.set(path, state);
  }
  const tree = join(place, 'tree');
  const left = existsSync(tree) ? statesBelow(tree) : new Map<string, string>();
  for (const [path, state] of expected) {
    const found = left.get(path) ?? held.get(path) ?? 'lost';
    // Directories have no content; that of others is as it was.
    expect([what, path, found]).toEqual([what, path, state]);
  }
}

async function contentsOfImage(path: string): Promise<Map<string, string>> {
  expect((await verifyImage(path)).problems).toEqual([]);
  const image = openImage(path);
  const found = new Map<string, string>();
  for (let number = 0; number < image.index.entryCount; number++) {
    const entry = image.index.resolve(number);
    const path = image.index.entryPath(number).toString() || '.';
    if (entry.kind === 'file') found.set(path, `file ${image.read(entry, 0, entry.size).toString('latin1')}`);
    else if (entry.kind === 'symlink') found.set(path, `link ${image.index.linkTarget(entry)}`);
    else found.set(path, String(entry.kind));
  }
  image.close();
  return found;
}

function statesBelow(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string) => {
    const status = lstatSync(path);
    const name = relative(root, path).replace('.shoal-removed.', '') || '.';
    if (status.isFile()) found.set(name, `file ${readFileSync(path, 'latin1')}`);
    else if (status.isSymbolicLink()) found.set(name, `link ${readlinkSync(path)}`);
    else if (status.isFIFO()) found.set(name, 'fifo');
    else {
      found.set(name, 'directory');
      for (const child of readdirSync(path)) visit(join(path, child));
    }
  };
  visit(root);
  return found;
}

/** A directory with a copy of the tree in it. */
function placeFor(name: string): string {
  const place = join(scratch.path, name);
  execFileSync('mkdir', [place]);
  execFileSync('cp', ['-a', original, join(place, 'tree')]);
  return place;
}

function packing(place: string, options: readonly string[]): string[] {
  return [
    'pack',
    join(place, 'tree'),
    '-o',
    join(place, 'x.shoal'),
    '--remove-source',
    '--jobs',
    '2',
    '--quiet',
    '--checkpoint',
    '0.002',
    ...options,
  ];
}
