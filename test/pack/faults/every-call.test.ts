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
/** What an undisturbed run makes and calls, by `--compress`. */
const undisturbed = new Map<Compression, { readonly files: Map<string, Buffer>; readonly calls: readonly string[] }>();

type Compression = 'none' | 'zstd:1';

beforeAll(async () => {
  execFileSync('bash', [
    '-ec',
    `mkdir -p ${original}/a/b ${original}/empty; cd ${original}
     echo one > a/1; echo two > a/b/2; ln a/1 a/b/again; ln -s nowhere link; mkfifo fifo; : > nothing
     for name in large middle between; do head -c 700000 /dev/zero | tr '\\0' x > $name; done; head -c 3000000 /dev/zero > huge; truncate -s 1M holes; chmod 500 a/b; touch -d 2001-02-03 a/1 large`,
  ]);
  expected = statesBelow(original);
  for (const compression of ['none', 'zstd:1'] as const) {
    const place = placeFor(`reference-${compression}`);
    await run(['pack', `${place}/tree`, '-o', `${place}/x.shoal`, '--jobs', '2', '--compress', compression]);
    execFileSync('rm', ['-rf', `${place}/tree`]);
    const counted = placeFor(`counted-${compression}`);
    const calls = await callsOf(packing(counted, compression), counted, join(scratch.path, `calls-${compression}`));
    undisturbed.set(compression, { files: filesIn(place), calls });
  }
});
afterAll(scratch.remove);

describe.each<[Fault, Compression]>([
  ['kill', 'none'],
  ['torn', 'none'],
  ['EIO', 'none'],
  ['ENOSPC', 'none'],
  ['EDQUOT', 'none'],
  ['kill', 'zstd:1'],
  ['torn', 'zstd:1'],
  ['ENOSPC', 'zstd:1'],
])('at every call: %s, with --compress %s', (fault, compression) => {
  test('no byte is lost, the image is whole or absent, and --resume makes the same image and removes the rest', async () => {
    const calls = undisturbed.get(compression)?.calls ?? [];
    expect(calls.length).toBeGreaterThan(50);
    const numbers = calls.map((_, i) => i + 1);
    const worker = async () => {
      for (let number = numbers.shift(); number !== undefined; number = numbers.shift())
        await stopAt(number, calls[number - 1] ?? '', fault, compression);
    };
    await Promise.all([worker(), worker()]);
  }, 300_000);
});

async function stopAt(number: number, call: string, fault: Fault, compression: Compression): Promise<void> {
  const place = placeFor(`${fault}-${number}`);
  const what = `${fault} at call ${number}, ${call}`;
  const stopped = await runFailing(packing(place, compression), { below: place, at: number, fault });
  if (stopped.status === null) expect([what, stopped.signal]).toEqual([what, 'SIGKILL']);
  else expect([what, [0, 1, 4]]).toEqual([what, expect.arrayContaining([stopped.status])]);
  if (stopped.status !== 0 && stopped.status !== null) expect(`${what}: ${stopped.stderr}`).toMatch(/shoal: /);
  await expectNothingLost(place, what);

  const resumed = await run([...packing(place, compression), '--resume']);
  expect([what, resumed.status, resumed.stderr]).toEqual([what, 0, '']);
  expect([what, existsSync(join(place, 'tree'))]).toEqual([what, false]);
  const made = filesIn(place);
  const expectedFiles = undisturbed.get(compression)?.files ?? new Map<string, Buffer>();
  expect([what, [...made.keys()]]).toEqual([what, [...expectedFiles.keys()]]);
  for (const [name, bytes] of made)
    expect([what, name, expectedFiles.get(name)?.equals(bytes)]).toEqual([what, name, true]);
  execFileSync('rm', ['-rf', place]);
}

/** Each entry is in the tree, as it was or set aside, or it is in a published image that is whole. */
async function expectNothingLost(place: string, what: string): Promise<void> {
  const image = join(place, 'x.shoal');
  const held = existsSync(image) ? await contentsOfImage(image) : new Map<string, string>();
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

function filesIn(place: string): Map<string, Buffer> {
  return new Map(
    readdirSync(place)
      .sort()
      .map((name) => [name, readFileSync(join(place, name))]),
  );
}

function packing(place: string, compression: Compression): string[] {
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
    '--compress',
    compression,
  ];
}
