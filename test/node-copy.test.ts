import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildImage, type Node } from './support/build-image.ts';
import { nativeBuildTimeout, nativeProgram } from './support/native-programs.ts';

const headerLength = 4096;
const blockLength = 65_536;
const batchLength = 16 * blockLength;
const entries = 50_000;
const user = process.getuid?.() as number;
const isRoot = user === 0;

let program: string | undefined;
let missing = '';
/** Holds two indexes of several batches each. */
let scratch: string;
let index: string;
let length: number;
/** What the reader of the mapped file answers. */
let answers: string;
/** Where copies may lie in a test. */
let place: string;
let holders: Holder[] = [];

function manyEntries(count: number): Node {
  const names = Array.from({ length: count }, (_, at) => `${at} ${'long name '.repeat(10)}`);
  return { kind: 'directory', children: Object.fromEntries(names.map((name) => [name, { kind: 'fifo' }])) };
}

beforeAll(async () => {
  const built = nativeProgram('index_copy');
  if ('missing' in built) missing = built.missing;
  else program = built.path;
  scratch = mkdtempSync(join(tmpdir(), 'shoal-copied-'));
  index = buildImage(scratch, 'image', manyEntries(entries)).index;
  buildImage(scratch, 'other', manyEntries(300));
  length = statSync(index).size;
  expect(length).toBeGreaterThan(6 * batchLength);
  if (program === undefined) return;
  place = scratch;
  const mapped = await open(index, { kind: 'local' });
  answers = await mapped.ask('walk 1');
  await mapped.end();
}, nativeBuildTimeout);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

beforeEach((ctx) => {
  if (program === undefined) ctx.skip(missing);
  place = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'shoal-place-'));
});
afterEach(async () => {
  for (const holder of holders) await holder.kill();
  holders = [];
  rmSync(place, { recursive: true, force: true });
});

/** A process that has an index open. */
class Holder {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<unknown>;
  #errors = '';

  constructor(command: string, args: readonly string[], nodeDirectory: string) {
    this.#process = spawn(command, args, { env: { ...process.env, SHOAL_NODE_DIR: nodeDirectory } });
    this.#ended = once(this.#process, 'exit');
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
    this.#process.stderr.on('data', (bytes: Buffer) => {
      this.#errors += bytes.toString();
    });
    holders.push(this);
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`index_copy ended: ${this.#errors}`);
    return value;
  }

  ask(command: string): Promise<string> {
    this.#process.stdin.write(`${command}\n`);
    return this.line();
  }

  async bytes(): Promise<number> {
    return Number(await this.ask('bytes'));
  }

  /** Until all is in the copy, of which this process brought everything. */
  async complete(): Promise<void> {
    while ((await this.bytes()) < length - headerLength) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async end(): Promise<void> {
    this.#process.stdin.end();
    await this.#ended;
    expect([this.#process.exitCode, this.#errors]).toEqual([0, '']);
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}

async function open(
  path: string,
  { kind = 'network', nodeDirectory = place }: { kind?: 'local' | 'network'; nodeDirectory?: string } = {},
): Promise<Holder> {
  const holder = new Holder(program as string, [path, kind], nodeDirectory);
  expect(await holder.line()).toBe('open');
  return holder;
}

const ownDirectory = () => join(place, `shoal-${user}`);
const copies = () => (existsSync(ownDirectory()) ? readdirSync(ownDirectory()) : []);
const theCopy = () => join(ownDirectory(), copies()[0] as string);

/** The path of a complete copy whose processes are all gone. */
async function leftCopy(): Promise<string> {
  const holder = await open(index);
  await holder.complete();
  // What was read last may not be written, or marked, yet. A mark for each batch, and one for the block table.
  const marks = Math.ceil((length - headerLength) / batchLength) + 1;
  const isMarked = () => readFileSync(theCopy()).subarray(0, marks).indexOf(0) === -1;
  while (!isMarked()) await new Promise((resolve) => setTimeout(resolve, 5));
  await holder.kill();
  expect(copies()).toHaveLength(1);
  return theCopy();
}

/** Changes bytes of a file; what `change` does to the buffer is written back. */
function edit(path: string, change: (bytes: Buffer) => void): void {
  const bytes = readFileSync(path);
  change(bytes);
  writeFileSync(path, bytes, { flag: 'r+' });
}

function flipByte(path: string, at: number): void {
  edit(path, (bytes) => bytes.writeUInt8(bytes.readUInt8(at) ^ 0x40, at));
}

/** Where a byte of the index lies in the copy. */
const placeInCopy = (bytes: Buffer, offset: number) => bytes.length - length + offset;

test('a copied index answers as the mapped one, to many threads that meet at blocks nobody touched', async () => {
  const holder = await open(index);
  expect(await holder.ask('walk 8')).toBe(answers);
  await holder.end();
});

test('processes share one copy, each byte of which is read once, and the last to close it removes it', async () => {
  const first = await open(index);
  expect(await first.ask('walk 1')).toBe(answers);
  await first.complete();
  expect(await first.bytes()).toBe(length - headerLength);
  expect(copies()).toHaveLength(1);
  expect(statSync(ownDirectory()).mode & 0o777).toBe(0o700);
  expect(statSync(theCopy()).mode & 0o777).toBe(0o600);

  const second = await open(index);
  await first.end();
  expect(copies()).toHaveLength(1);
  expect(await second.ask('walk 1')).toBe(answers);
  expect(await second.bytes()).toBe(0);
  await second.end();
  expect(readdirSync(place)).toEqual([]);
});

test('32 processes at once fill one copy together', async () => {
  const many = await Promise.all(Array.from({ length: 32 }, () => open(index)));
  expect(copies()).toHaveLength(1);
  const told = await Promise.all(many.map((holder) => holder.ask('walk 1')));
  expect(new Set(told)).toEqual(new Set([answers]));
  const read = await Promise.all(many.map((holder) => holder.bytes()));
  const sum = read.reduce((total, bytes) => total + bytes);
  expect(sum).toBeGreaterThanOrEqual(length - headerLength);
  expect(sum).toBeLessThan(2 * length); // Whoever is kept from running for seconds is not waited for.
  await Promise.all(many.map((holder) => holder.end()));
  expect(readdirSync(place)).toEqual([]);
});

test('processes that open and close all the time find a copy, never leave one, and never lose one', async () => {
  const rounds = Array.from({ length: 8 }, async () => {
    for (let round = 0; round < 6; round++) {
      const holder = await open(index);
      expect(await holder.ask('get 25000')).toBe('ok');
      await holder.end();
    }
  });
  await Promise.all(rounds);
  expect(readdirSync(place)).toEqual([]);
});

test('each index has a copy of its own', async () => {
  const first = await open(index);
  const second = await open(join(scratch, 'other.shoal'));
  expect(copies()).toHaveLength(2);
  await first.end();
  expect(copies()).toHaveLength(1);
  expect(await second.ask('get 300')).toBe('ok');
  await second.end();
  expect(readdirSync(place)).toEqual([]);
});

test('another file of the same bytes has one, too: checksums can be made to agree', async () => {
  const twin = join(scratch, 'twin.shoal');
  copyFileSync(index, twin);
  const first = await open(index);
  const second = await open(twin);
  expect(copies()).toHaveLength(2);
  await first.end();
  await second.end();
});

test('what a killed process left is used again', async () => {
  await leftCopy();
  const holder = await open(index);
  expect(await holder.ask('walk 1')).toBe(answers);
  expect(await holder.bytes()).toBe(0);
  await holder.end();
  expect(readdirSync(place)).toEqual([]);
});

test('what a killed process left is removed when another index is opened', async () => {
  const left = await leftCopy();
  const own = join(ownDirectory(), 'of the user');
  writeFileSync(own, '');
  const holder = await open(join(scratch, 'other.shoal'));
  expect(existsSync(left)).toBe(false);
  expect(copies()).toHaveLength(2);
  await holder.end();
  expect(existsSync(own)).toBe(true);
});

test('of a copy that was killed half way only the rest is read', async () => {
  const left = await leftCopy();
  edit(left, (bytes) => {
    bytes[1] = 0;
    const begin = placeInCopy(bytes, headerLength + batchLength);
    bytes.fill(0, begin, begin + batchLength);
  });
  const holder = await open(index);
  expect(await holder.ask('walk 2')).toBe(answers);
  expect(await holder.bytes()).toBe(batchLength);
  await holder.end();
});

test('who claims a part of a copy and then stops is waited for no longer than seconds', async () => {
  const left = await leftCopy();
  edit(left, (bytes) => bytes.fill(0, 1, 3)); // Marks of two batches.
  // A lock of the open file description (37 is F_OFD_SETLK) on both marks, as a process has that was stopped.
  const claim = `
import fcntl, os, struct, sys
descriptor = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(descriptor, 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, os.SEEK_SET, 1, 2, 0))
print('claimed', flush=True)
sys.stdin.read()`;
  const claimant = new Holder('python3', ['-c', claim, left], place);
  expect(await claimant.line()).toBe('claimed');
  const holder = await open(index);
  expect(await holder.ask('walk 2')).toBe(answers);
  expect(await holder.bytes()).toBeGreaterThanOrEqual(2 * batchLength);
  await holder.end();
  await claimant.end();
});

test('processes killed at any moment leave nothing that misleads the next', async () => {
  for (let round = 0; round < 10; round++) {
    const holder = await open(index);
    if (round % 2 === 1) await holder.ask('get 15000');
    await holder.kill();
    if (round % 3 === 2) edit(theCopy(), (bytes) => bytes.writeUInt8(0, round % 5));
  }
  const last = await open(index);
  expect(await last.ask('walk 1')).toBe(answers);
  await last.end();
  expect(readdirSync(place)).toEqual([]);
});

test('a damaged block of a copy is read from storage again, and mended', async () => {
  const left = await leftCopy();
  const intact = readFileSync(left);
  edit(left, (bytes) => {
    const begin = placeInCopy(bytes, headerLength + 20 * blockLength);
    bytes.fill(0xee, begin + 5, begin + 3 * blockLength - 5);
  });
  expect(readFileSync(left).equals(intact)).toBe(false);
  const holder = await open(index);
  expect(await holder.ask('walk 1')).toBe(answers);
  expect(await holder.bytes()).toBe(3 * blockLength);
  expect(readFileSync(left).equals(intact)).toBe(true);
  await holder.end();
});

test('a damaged block table of a copy is read from storage again', async () => {
  const left = await leftCopy();
  flipByte(left, statSync(left).size - 3);
  const holder = await open(index);
  expect(await holder.ask('walk 1')).toBe(answers);
  expect(await holder.bytes()).toBeLessThan(blockLength);
  await holder.end();
});

test('a copy that says it is complete and is empty misleads nobody', async () => {
  const left = await leftCopy();
  edit(left, (bytes) => bytes.fill(0).fill(0xff, 0, blockLength));
  const holder = await open(index);
  expect(await holder.ask('walk 4')).toBe(answers);
  await holder.end();
});

interface Foreign {
  readonly what: string;
  readonly make: (copy: string) => void;
  readonly asRoot?: boolean;
}

test.for<Foreign>([
  { what: 'a symbolic link', make: (copy) => symlinkSync(join(scratch, 'victim'), copy) },
  { what: 'a FIFO', make: (copy) => execFileSync('mkfifo', [copy]) },
  { what: 'a directory', make: (copy) => mkdirSync(copy) },
  { what: 'an empty file', make: (copy) => writeFileSync(copy, '') },
  { what: 'a longer file', make: (copy) => writeFileSync(copy, Buffer.alloc(2 * length)) },
  {
    what: 'a file that others may write',
    make: (copy) => {
      writeFileSync(copy, Buffer.alloc(length + 2 * blockLength - headerLength));
      chmodSync(copy, 0o666);
    },
  },
  {
    what: 'a file of another user',
    asRoot: true,
    make: (copy) => {
      writeFileSync(copy, Buffer.alloc(length + 2 * blockLength - headerLength), { mode: 0o600 });
      chownSync(copy, 4711, 4711);
    },
  },
])('$what in the place of a copy is taken away', async ({ make, asRoot }, ctx) => {
  if (asRoot && !isRoot) ctx.skip('needs root to make files of other users');
  writeFileSync(join(scratch, 'victim'), 'untouched');
  const copy = await leftCopy();
  rmSync(copy);
  make(copy);
  const holder = await open(index);
  expect(await holder.ask('walk 1')).toBe(answers);
  const info = lstatSync(copy);
  expect([info.isFile(), info.uid, info.mode & 0o777]).toEqual([true, user, 0o600]);
  await holder.end();
  expect(readdirSync(place)).toEqual([]);
  expect(readFileSync(join(scratch, 'victim'), 'utf8')).toBe('untouched');
});

test('a directory that others may enter, or that is a link, is left alone, and the next one is taken', async () => {
  mkdirSync(ownDirectory());
  chmodSync(ownDirectory(), 0o777);
  symlinkSync(scratch, `${ownDirectory()}.1`);
  const before = readdirSync(scratch);
  const holder = await open(index);
  expect(readdirSync(`${ownDirectory()}.2`)).toHaveLength(1);
  expect(await holder.ask('walk 1')).toBe(answers);
  await holder.end();
  expect(readdirSync(place)).toEqual([`shoal-${user}`, `shoal-${user}.1`]);
  expect(readdirSync(scratch)).toEqual(before);
});

test('where every name is taken by others, memory of the process serves, of what it touches', async () => {
  for (let number = 0; number < 8; number++) writeFileSync(ownDirectory() + (number === 0 ? '' : `.${number}`), '');
  const holder = await open(index);
  expect(await holder.bytes()).toBeLessThan(length / 2);
  expect(await holder.ask('walk 4')).toBe(answers);
  await holder.end();
  expect(readdirSync(place)).toHaveLength(8);
});

test('where files may not have the length of the index, it is mapped where it lies', async () => {
  const shell = `ulimit -f 1024; exec "$0" "$@"`;
  const holder = new Holder('bash', ['-c', shell, program as string, index, 'network'], place);
  expect(await holder.line()).toBe('open');
  expect(await holder.ask('walk 1')).toBe(answers);
  expect(await holder.bytes()).toBe(0);
  await holder.end();
  expect(readdirSync(place)).toEqual([]);
});

/** Runs `act` with a filesystem of `size` bytes as the place. */
async function inSmallMemory(ctx: { skip: (reason: string) => never }, size: number, act: () => Promise<void>) {
  if (!isRoot) ctx.skip('needs root to mount a small tmpfs');
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', place]);
  try {
    await act();
  } finally {
    for (const holder of holders) await holder.kill();
    execFileSync('umount', [place]);
  }
}

test('a place is not used where others would be left less than half of what is free', (ctx) =>
  inSmallMemory(ctx, 2 * length - batchLength, async () => {
    const holder = await open(index);
    expect(await holder.ask('walk 1')).toBe(answers);
    expect(readdirSync(place)).toEqual([]);
    await holder.end();
  }));

test('a filesystem that is full ends no process, and what it cannot take is kept elsewhere', (ctx) =>
  inSmallMemory(ctx, 4 * length, async () => {
    const left = await leftCopy();
    const size = statSync(left).size;
    truncateSync(left, 0);
    truncateSync(left, size);
    expect(() => writeFileSync(join(place, 'filler'), Buffer.alloc(5 * length))).toThrow('ENOSPC');
    // Room for one batch and a half.
    truncateSync(join(place, 'filler'), statSync(join(place, 'filler')).size - 1.5 * batchLength);
    const holder = await open(index);
    expect(await holder.ask('walk 4')).toBe(answers);
    expect(await holder.ask('walk 1')).toBe(answers);
    await holder.end();
  }));

test('a complete copy does not need the index any more', async () => {
  const lost = join(scratch, 'lost.shoal');
  copyFileSync(index, lost);
  const holder = await open(lost);
  await holder.complete();
  truncateSync(lost, headerLength);
  expect(await holder.ask('walk 1')).toBe(answers);
  rmSync(lost);
  expect(await holder.ask('walk 1')).toBe(answers);
  await holder.end();
});

test('of an index cut short or overwritten, what nobody touched is an error, and comes back with it', async () => {
  const torn = join(scratch, 'torn.shoal');
  copyFileSync(index, torn);
  // In memory of the process alone there is nothing but what was touched.
  const holder = await open(torn, { nodeDirectory: join(scratch, 'no such directory') });
  expect(await holder.ask('get 0')).toBe('ok');
  const intact = readFileSync(torn);
  truncateSync(torn, headerLength);
  expect(await holder.ask('get 0')).toBe('ok');
  expect(await holder.ask('get 25000')).toMatch(/^truncated \d+ .*torn\.shoal: expected \d+ bytes more/);
  writeFileSync(torn, Buffer.alloc(length, 'other bytes '));
  expect(await holder.ask('get 25000')).toMatch(/^checksum \d+ .*torn\.shoal: CRC32C of block/);
  writeFileSync(torn, intact, { flag: 'r+' });
  expect(await holder.ask('walk 1')).toBe(answers);
  await holder.end();
});

test('checking all blocks looks at the file, not at its copy', async () => {
  const damaged = join(scratch, 'damaged.shoal');
  copyFileSync(index, damaged);
  const holder = await open(damaged);
  await holder.complete();
  expect(await holder.ask('blocks')).toBe('ok');
  flipByte(damaged, headerLength + 2 * blockLength + 7);
  expect(await holder.ask('walk 1')).toBe(answers);
  expect(await holder.ask('blocks')).toMatch(/^checksum 135168 .*CRC32C of block 2/);
  copyFileSync(index, damaged);
  flipByte(damaged, length - 1);
  expect(await holder.ask('blocks')).toMatch(/^checksum \d+ .*CRC32C of the block table/);
  await holder.end();
});

test('a copy that is cut short under its process gives errors, and the next process makes another', async () => {
  const holder = await open(index);
  expect(await holder.ask('walk 1')).toBe(answers);
  await holder.complete();
  truncateSync(theCopy(), 0);
  expect(await holder.ask('get 25000')).toMatch(/^io .*somebody cut the copy of the index/);
  const next = await open(index);
  expect(await next.ask('walk 1')).toBe(answers);
  expect(await holder.ask('get 0')).toMatch(/^io /);
  await next.end();
  await holder.end();
});
