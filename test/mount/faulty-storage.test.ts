import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { openImage } from '../../src/image/open-image.ts';
import { type BackgroundOptions, mountImage } from '../../src/mount/mount-image.ts';
import { nativeBuildTimeout, nativeProgram } from '../support/native-programs.ts';
import { content, faultyScene, type ReadCount } from './faulty-scene.ts';
import { run, until } from './scene.ts';

const runAside = promisify(execFile);
const volume = 'image.tar';
const block = 1 << 20;
const { EACCES, EIO, ESTALE, ETIMEDOUT } = constants.errno;

/** Each happens three times. */
const passing = [
  `fail ${volume} ${EIO} 3`,
  `fail ${volume} ${ESTALE} 3`,
  `fail ${volume} ${ETIMEDOUT} 3`,
  `end ${volume} 3`,
  `short ${volume} 1000 3`,
];

beforeAll(() => void nativeProgram('faulty_storage'), nativeBuildTimeout);

/** The number of an entry of the root, and where its content begins in the volume. */
function find(image: string, name: string): { readonly number: number; readonly offset: number } {
  const opened = openImage(image);
  try {
    const { index } = opened;
    const number = index.lookup(index.get(0), Buffer.from(name)) as number;
    return { number, offset: index.get(number).offset };
  } finally {
    opened.close();
  }
}

/** Small files, all in one block. */
function writeSmallFiles(source: string, count: number): string[] {
  const names = Array.from({ length: count }, (_, number) => `small-${String(number).padStart(3, '0')}`);
  for (const [number, name] of names.entries()) writeFileSync(join(source, name), content(2000, number));
  return names;
}

describe('a fault of storage that passes', () => {
  test.for(['network', 'local'] as const)('gives exact bytes (storage=%s)', async (kind, ctx) => {
    const { source, directory, storage, pack, mount } = await faultyScene(ctx);
    for (const [number] of passing.entries()) writeFileSync(join(source, `${number}`), content(3 * block, number));
    await pack();
    // Room for one block: nothing is read ahead, so it is this file's reads that meet the fault.
    await mount({ storage: kind, cacheSize: block });
    for (const [number, fault] of passing.entries()) {
      await storage.tell(`clear ${volume}`);
      await storage.tell(fault);
      expect(readFileSync(join(directory, `${number}`)).equals(content(3 * block, number)), fault).toBe(true);
      expect(await storage.count(volume), fault).toMatchObject({ faults: 3 });
    }
  });

  test('is counted as a retry, once for each read that is repeated', async (ctx) => {
    const { source, image, storage, pack } = await faultyScene(ctx);
    writeFileSync(join(source, 'file'), content(5000, 1));
    await pack();
    const { number, offset } = find(image, 'file');
    // Where the volume is opened again, one of three faults meets the look whether it is still the same.
    const retries = [3, 2, 3, 2, 3, 0];
    for (const [place, fault] of [...passing, `flip ${volume} ${offset + 7} 1`].entries()) {
      await storage.tell(`clear ${volume}`);
      const [answer, counters] = await askReader(ctx, image, `${number} 0 5000`, () => storage.tell(fault));
      expect(answer, fault).toMatch(/^5000 /);
      expect(JSON.parse(counters as string), fault).toMatchObject({
        retries: retries[place],
        checksumFailures: 0,
        cacheMisses: 1,
      });
    }
  });

  test('is not taken for one where the volume was cut short', async (ctx) => {
    const { root, source, directory, pack, mount } = await faultyScene(ctx);
    writeFileSync(join(source, 'file'), content(2 * block, 1));
    await pack();
    const log = join(root, 'log');
    await mount({ log });
    truncateSync(join(root, 'stored', volume), block);
    expect(() => readFileSync(join(directory, 'file'))).toThrow('EIO');
    expect(readFileSync(log, 'utf8')).toContain(`found ${block} at most; copy the volume anew`);
  });

  test('that does not pass gives EIO and a line in the log, and is not remembered', async (ctx) => {
    const { root, source, directory, storage, pack, mount } = await faultyScene(ctx);
    writeFileSync(join(source, 'file'), content(5000, 1));
    await pack();
    const log = join(root, 'log');
    await mount({ log });
    await storage.tell(`fail ${volume} ${EACCES} -1`); // such an error does not pass
    expect(() => readFileSync(join(directory, 'file'))).toThrow('EACCES');
    await storage.tell(`clear ${volume}`);
    await storage.tell(`fail ${volume} ${EIO} -1`);
    expect(() => readFileSync(join(directory, 'file'))).toThrow('EIO');
    await storage.tell(`clear ${volume}`);
    expect(readFileSync(join(directory, 'file')).equals(content(5000, 1))).toBe(true);
    expect(readFileSync(log, 'utf8')).toMatch(/^shoal: reading file: cannot read: [^\n]*\n$/);
  });
});

describe('a byte that storage gives wrong', () => {
  /** A mount whose volume has a wrong byte in `damaged`, the next `count` times. */
  async function mountFlipped(ctx: TestContext, count: number, options: BackgroundOptions = {}) {
    const made = await faultyScene(ctx);
    const names = writeSmallFiles(made.source, 20);
    writeFileSync(join(made.source, 'damaged'), content(9000, 99));
    await made.pack();
    const log = join(made.root, 'log');
    await made.mount({ ...options, log });
    await made.storage.tell(`flip ${volume} ${find(made.image, 'damaged').offset + 1234} ${count}`);
    return { ...made, names, log, damaged: join(made.directory, 'damaged') };
  }

  test.for(['network', 'local'] as const)('once, is right when it is read again (storage=%s)', async (kind, ctx) => {
    const { storage, log, damaged } = await mountFlipped(ctx, 1, { storage: kind });
    expect(readFileSync(damaged).equals(content(9000, 99))).toBe(true);
    expect(await storage.count(volume)).toMatchObject({ faults: 1 });
    expect(readFileSync(log, 'utf8')).toBe('');
  });

  test.for(['network', 'local'] as const)(
    'always, gives EIO and one line with the name, and its neighbours their bytes (storage=%s)',
    async (kind, ctx) => {
      const { directory, storage, names, log, damaged } = await mountFlipped(ctx, -1, { storage: kind });
      expect(() => readFileSync(damaged)).toThrow('EIO');
      expect(() => readFileSync(damaged)).toThrow('EIO');
      for (const [number, name] of names.entries()) {
        expect(readFileSync(join(directory, name)).equals(content(2000, number)), name).toBe(true);
      }
      expect(readFileSync(log, 'utf8')).toMatch(
        /^shoal: reading damaged: CRC32C of 9000 bytes: [^\n]*image\.tar[^\n]*\n$/,
      );
      await storage.tell(`clear ${volume}`);
      expect(readFileSync(damaged).equals(content(9000, 99))).toBe(true);
    },
  );

  test('is given as it is with verify=no', async (ctx) => {
    const { log, damaged } = await mountFlipped(ctx, -1, { verify: false });
    const expected = content(9000, 99);
    expected[1234] = (expected[1234] as number) ^ 0x40;
    expect(readFileSync(damaged).equals(expected)).toBe(true);
    expect(readFileSync(log, 'utf8')).toBe('');
  });
});

describe('the cache of blocks', () => {
  test('reads a block once for two hundred programs that want it at the same time', async (ctx) => {
    const { root, source, directory, storage, pack, mount } = await faultyScene(ctx);
    const names = writeSmallFiles(source, 200);
    await pack();
    await mount({ threads: 100 });
    await storage.tell(`clear ${volume}`);
    await storage.tell(`hold ${volume}`);
    const begun = join(root, 'begun');
    const copies = join(root, 'copies');
    mkdirSync(copies);
    const script = 'for name; do { printf x >> "$BEGUN"; cat "$name" > "$COPIES/$name"; } & done; wait';
    const readers = runAside('sh', ['-c', script, 'sh', ...names], {
      cwd: directory,
      env: { ...process.env, BEGUN: begun, COPIES: copies },
    });
    await until(() => existsSync(begun) && statSync(begun).size === names.length);
    await storage.tell(`release ${volume}`);
    await readers;
    for (const [number, name] of names.entries()) {
      expect(readFileSync(join(copies, name)).equals(content(2000, number)), name).toBe(true);
    }
    expect(await storage.count(volume)).toMatchObject({ reads: 1 });
  });

  test('is not used on local storage, nor of size 0: each file is read by itself', async (ctx) => {
    const { root, image, source, directory, storage, pack, mount } = await faultyScene(ctx);
    const names = writeSmallFiles(source, 10);
    await pack();
    const others = ['second', 'third', 'fourth'].map((name) => join(root, name));
    for (const other of others) mkdirSync(other);
    const [second, third, fourth] = others as [string, string, string];
    await mount({ storage: 'local' });
    await mountImage(image, second, { storage: 'local' });
    await mountImage(image, third, { cacheSize: 0 });
    await mountImage(image, fourth);
    for (const place of [directory, second, third]) {
      await storage.tell(`clear ${volume}`);
      for (const name of names) readFileSync(join(place, name));
      expect(await storage.count(volume)).toMatchObject({ reads: 10, bytes: 10 * 2000 });
    }
    await storage.tell(`clear ${volume}`);
    for (const name of names) readFileSync(join(fourth, name));
    expect(await storage.count(volume)).toMatchObject({ reads: 1 });
  });

  test('has blocks under way ahead of a sequential reader while others read at random', async (ctx) => {
    const { source, directory, storage, pack, mount } = await faultyScene(ctx);
    writeFileSync(join(source, 'large'), content(40 * block, 5));
    const scattered = Array.from({ length: 200 }, (_, number) => `scattered-${number}`);
    for (const [number, name] of scattered.entries()) writeFileSync(join(source, name), content(100_000, number));
    await pack();
    const names = scattered.toSorted((a, b) =>
      a.split('').reverse().join('') < b.split('').reverse().join('') ? -1 : 1,
    );
    const readAll = async (): Promise<ReadCount> => {
      await storage.tell(`clear ${volume}`);
      await storage.tell(`delay ${volume} 10`);
      await Promise.all([
        runAside('cmp', [join(source, 'large'), join(directory, 'large')]),
        ...[0, 1, 2].map((part) =>
          compareAll(
            source,
            directory,
            names.filter((_, place) => place % 3 === part),
          ),
        ),
      ]);
      return storage.count(volume);
    };
    // One server thread waits for one block at a time: all else is read ahead.
    const mounted = await mount({ threads: 1 });
    expect((await readAll()).mostUnderWay).toBeGreaterThan(1);
    await mounted.unmount();
    await mount({ threads: 1, cacheSize: 4 * block }); // too small to read ahead
    expect((await readAll()).mostUnderWay).toBe(1);
  });

  test('takes no more memory than its ceiling', async (ctx) => {
    const { source, directory, pack, mount } = await faultyScene(ctx);
    writeFileSync(join(source, 'large'), content(60 * block, 5));
    await pack();
    const grown = async (cacheSize: number): Promise<number> => {
      const mounted = await mount({ cacheSize });
      const before = anonymousMemory(mounted.pid);
      run('cmp', [join(source, 'large'), join(directory, 'large')]);
      const after = anonymousMemory(mounted.pid);
      await mounted.unmount();
      return after - before;
    };
    // Besides the cache: the buffers of the server's threads, and what Node does meanwhile.
    const besides = 16 * block;
    expect(await grown(4 * block)).toBeLessThan(4 * block + besides);
    expect(await grown(256 * block)).toBeGreaterThan(40 * block);
  });
});

/** `cmp` of each file in the two directories, one after the other. */
async function compareAll(source: string, directory: string, names: readonly string[]): Promise<void> {
  const script = 'for name; do cmp "$A/$name" "$B/$name" || exit 1; done';
  await runAside('sh', ['-c', script, 'sh', ...names], { env: { ...process.env, A: source, B: directory } });
}

/** Bytes that the process has for itself, not those of files. */
function anonymousMemory(pid: number): number {
  const kibibytes = /^Anonymous:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
  return Number(kibibytes) * 1024;
}

/** Starts the program image_read with a cache, asks it one question after `prepare`, and gives its answer and what it counted. */
async function askReader(ctx: TestContext, image: string, question: string, prepare: () => Promise<void>) {
  const program = nativeProgram('image_read');
  if ('missing' in program) return ctx.skip(program.missing);
  const reader = spawn(program.path, [image, String(16 * block)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: string[] = [];
  for await (const line of createInterface(reader.stdout)) {
    if (line === 'open') {
      await prepare();
      reader.stdin.end(`${question}\n`);
    } else lines.push(line);
  }
  return lines;
}
