import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, expect, onTestFinished, type TestContext, test, vi } from 'vitest';
import { type Mounted, mountImage } from '../../src/mount/mount-image.ts';
import { buildImage, type Node } from '../support/build-image.ts';
import { nativeBuildTimeout, nativeProgram } from '../support/native-programs.ts';
import { flipByte, placeOf } from './flip-byte.ts';
import { isRunning, scene, until } from './scene.ts';

const names = Array.from({ length: 20_000 }, (_, number) => `${number} ${'long name '.repeat(20)}`.trimEnd());

const tree: Node = {
  kind: 'directory',
  mode: 0o755,
  children: {
    below: {
      kind: 'directory',
      mode: 0o755,
      children: Object.fromEntries(names.map((name) => [name, { kind: 'file', content: Buffer.from(name) }])),
    },
  },
};

beforeAll(() => void nativeProgram('index_copy'), nativeBuildTimeout);

interface Network {
  /** An image that lies in the mount of another one: a filesystem that is not known to be local. */
  readonly image: string;
  /** Where copies of its index lie. */
  readonly copies: () => string[];
  /** What of `copies` has been filled. */
  readonly isComplete: () => boolean;
  mount(name: string): Promise<Mounted>;
  /** Damages, or mends, the middle of the index as storage gives it, where there are names alone. */
  flip(): void;
}

async function network(ctx: TestContext, nodeDirectory?: string): Promise<Network> {
  const outer = scene(ctx);
  buildImage(outer.source, 'inner', tree);
  await outer.pack();
  await outer.mount();
  for (const name of ['here', 'there']) mkdirSync(join(outer.root, name));

  const place = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'shoal-place-'));
  vi.stubEnv('SHOAL_NODE_DIR', nodeDirectory ?? place);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(place, { recursive: true });
  });
  const image = join(outer.directory, 'inner.shoal');
  const { size } = statSync(image);
  const copies = () =>
    readdirSync(place).flatMap((user) => readdirSync(join(place, user)).map((name) => join(place, user, name)));
  return {
    image,
    copies,
    isComplete: () => copies().every((copy) => statSync(copy).blocks * 512 >= size),
    mount: (name) => {
      return mountImage(image, join(outer.root, name));
    },
    flip: () => {
      flipByte(outer.volume, placeOf(outer.image, 'inner.shoal') + size / 2);
      // The kernel keeps what it read before.
      execFileSync('dd', [`if=${image}`, 'iflag=nocache', 'count=0', 'status=none']);
    },
  };
}

const list = (mounted: Mounted) => readdirSync(join(mounted.directory.toString(), 'below')).sort();
const read = (mounted: Mounted, name: string) =>
  readFileSync(join(mounted.directory.toString(), 'below', name), 'utf8');

test('mounts of an index on network storage share a copy, need storage no more, and the last removes it', async (ctx) => {
  const { image, copies, isComplete, mount, flip } = await network(ctx);
  const first = await mount('here');
  expect(copies()).toHaveLength(1);
  await until(isComplete);
  flip();
  expect(() => readFileSync(image)).toThrow('EIO');

  const second = await mount('there');
  expect(copies()).toHaveLength(1);
  for (const mounted of [first, second]) {
    expect(list(mounted)).toEqual([...names].sort());
    expect(read(mounted, names[10_000] as string)).toBe(names[10_000]);
  }
  await first.unmount();
  expect(copies()).toHaveLength(1);
  expect(list(second)).toEqual([...names].sort());
  await second.unmount();
  expect(copies()).toEqual([]);
});

test('what a killed server left serves the next mount', async (ctx) => {
  const { copies, isComplete, mount, flip } = await network(ctx);
  const killed = await mount('here');
  await until(isComplete);
  process.kill(killed.pid, 'SIGKILL');
  await until(() => !isRunning(killed.pid));
  expect(copies()).toHaveLength(1);
  flip();
  const repaired = await mount('here');
  expect(repaired.already).toBe(false);
  expect(list(repaired)).toEqual([...names].sort());
  await repaired.unmount();
  expect(copies()).toEqual([]);
});

test('what no mount brought yet is EIO while storage fails, and is there when it is back', async (ctx) => {
  // In memory of the server alone there is nothing but what was touched.
  const { mount, flip } = await network(ctx, '/nowhere');
  const mounted = await mount('here');
  flip();
  expect(() => list(mounted)).toThrow('EIO');
  expect(isRunning(mounted.pid)).toBe(true);
  flip();
  expect(list(mounted)).toEqual([...names].sort());
});

test('a mapped index survives a page that storage cannot give', async (ctx) => {
  const program = nativeProgram('index_copy');
  if ('missing' in program) return ctx.skip(program.missing);
  const { image, flip } = await network(ctx);
  const reader = spawn(program.path, [image, 'local'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(reader.stdout)[Symbol.asyncIterator]();
  const ask = async (command: string) => {
    reader.stdin.write(`${command}\n`);
    return (await lines.next()).value;
  };
  expect((await lines.next()).value).toBe('open');
  flip();
  expect(await ask('walk 2')).toMatch(/^io .*inner\.shoal: storage did not give a page of the index/);
  expect(await ask('get 0')).toBe('ok');
  flip();
  expect(await ask('walk 2')).toMatch(/^20002 /);
  reader.stdin.end();
  await once(reader, 'exit');
  expect(reader.exitCode).toBe(0);
});
