import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { buildImage, type Node } from '../support/build-image.ts';
import { nativeBuildTimeout, nativeProgram } from '../support/native-programs.ts';

const owned = { uid: 1000, nanoseconds: 4 };
const child: Node = { ...owned, kind: 'file', content: Buffer.from('x') };
/** POSIX access control list, version 2, without entries: enough for the kernel to have to ask. */
const acl = { name: Buffer.from('system.posix_acl_access'), value: Buffer.from([2, 0, 0, 0]) };

/** What test/native/scripted_kernel.cc expects. */
function tree(acls: boolean): Node {
  const note = { name: Buffer.from('user.note'), value: Buffer.from('note') };
  return {
    ...owned,
    kind: 'directory',
    mode: 0o755,
    children: {
      directory: {
        ...owned,
        kind: 'directory',
        mode: 0o755,
        children: Object.fromEntries(Array.from({ length: 200 }, (_, number) => [`child ${number}`, child])),
      },
      file: {
        ...owned,
        kind: 'file',
        content: Buffer.from(Uint8Array.from({ length: 300_000 }, (_, at) => at % 251)),
        xattrs: acls ? [acl, note] : [note],
      },
      hole: { ...owned, kind: 'sparse', size: 1_000_000, data: new Map([[500_000, Buffer.from('data')]]) },
      link: { ...owned, kind: 'link', mode: 0o777, target: Buffer.from('to/somewhere') },
    },
  };
}

let programs: Record<'scripted_kernel' | 'hostile_kernel', ReturnType<typeof nativeProgram>>;
let directory: string;
const images = { plain: '', acls: '' };

beforeAll(() => {
  programs = { scripted_kernel: nativeProgram('scripted_kernel'), hostile_kernel: nativeProgram('hostile_kernel') };
  directory = mkdtempSync(join(tmpdir(), 'shoal-kernels-'));
  images.plain = buildImage(directory, 'plain', tree(false)).index;
  images.acls = buildImage(directory, 'acls', tree(true)).index;
}, nativeBuildTimeout);
afterAll(() => rmSync(directory, { recursive: true }));

/** Plays the kernel of this version; the lines that the program prints. */
function play(ctx: TestContext, version: string, more: readonly string[] = [], image = images.plain): string[] {
  const program = programs.scripted_kernel;
  if ('missing' in program) return ctx.skip(program.missing);
  const ran = spawnSync(program.path, [image, version, ...more], { encoding: 'utf8' });
  expect(ran.stderr).toBe('');
  expect(ran.stdout).not.toContain('FAILED');
  expect(ran.status).toBe(0);
  return ran.stdout.trimEnd().split('\n');
}

const from23 = ['async_read', 'export_support', 'do_readdirplus', 'async_dio', 'no_open_support'];
const from25 = [...from23, 'parallel_dirops'];
const from28 = [...from25, 'max_pages', 'cache_symlinks'];
const from29 = [...from28, 'no_opendir_support'];

/** The line of what is agreed with a kernel that offers all that it knows. */
function agreed(minor: number): string {
  const features = minor < 25 ? from23 : minor < 28 ? from25 : minor < 29 ? from28 : from29;
  return `agreed 7.${Math.min(minor, 45)} ${features.join(' ')}`;
}

describe('a kernel', () => {
  test.for([
    ['3.15', 23],
    ['4.5', 24],
    ['4.18', 27],
    ['4.20', 28],
    ['5.4', 31],
    ['5.16', 36],
    ['6.18', 45],
    ['to come', 60],
  ] as const)('%s speaks 7.%i and agrees to what it knows, and all operations are answered', ([, minor], ctx) => {
    const lines = play(ctx, `7.${minor}`);
    expect(lines).toEqual([
      agreed(minor),
      `pages ${minor < 28 ? 0 : 256}`,
      'open never again',
      minor < 29 ? 'opendir answered' : 'opendir never again',
      'listed with READDIRPLUS',
      ...(minor < 24 ? [] : ['holes told']),
      'ended',
    ]);
  });

  test.for([23, 27, 31, 36, 45])(
    'of 7.%i is asked for access control lists where entries have some and it knows them',
    (minor, ctx) => {
      const [first] = play(ctx, `7.${minor}`, [], images.acls);
      if (minor < 26) expect(first).not.toContain('posix_acl');
      else expect(first).toContain('posix_acl');
    },
  );
});

describe.each([23, 27, 31, 36, 45])('with a kernel of 7.%i', (minor) => {
  test.for([
    ['async_read', undefined],
    ['export_support', undefined],
    ['async_dio', undefined],
    ['do_readdirplus', 'listed with READDIR'],
    ['no_open_support', 'open answered'],
    ['parallel_dirops', undefined],
    ['max_pages', 'pages 0'],
    ['cache_symlinks', undefined],
    ['no_opendir_support', 'opendir answered'],
    ['init_ext', undefined],
  ] as const)('that does not offer %s nothing else is missing', ([flag, instead], ctx) => {
    const lines = play(ctx, `7.${minor}`, [`withhold:${flag}`]);
    expect(lines[0]).toBe(agreed(minor).replace(` ${flag}`, ''));
    if (instead !== undefined) expect(lines).toContain(instead);
  });

  test.for([
    ['skip_open', 'no_open_support', 'open answered'],
    ['skip_opendir', 'no_opendir_support', 'opendir answered'],
    ['readdirplus', 'do_readdirplus', 'listed with READDIR'],
    ['cache_symlinks', 'cache_symlinks', 'ended'],
    ['parallel_dirops', 'parallel_dirops', 'ended'],
    ['clone_descriptor', undefined, 'ended'],
    ['polling', undefined, 'ended'],
  ] as const)('and %s switched off nothing else is', ([name, flag, instead], ctx) => {
    const lines = play(ctx, `7.${minor}`, [`off:${name}`]);
    expect(lines[0]).toBe(agreed(minor).replace(` ${flag}`, ''));
    expect(lines).toContain(instead);
  });

  test('that offers nothing, and everything switched off, the tree is served all the same', (ctx) => {
    const switches = [
      'skip_open',
      'skip_opendir',
      'readdirplus',
      'cache_symlinks',
      'parallel_dirops',
      'clone_descriptor',
      'polling',
    ];
    const withheld = [...from29, 'posix_acl'].map((flag) => `withhold:${flag}`);
    const lines = play(ctx, `7.${minor}`, [...withheld, ...switches.map((name) => `off:${name}`)], images.acls);
    expect(lines).toEqual([
      `agreed 7.${minor}`,
      'pages 0',
      'open answered',
      'opendir answered',
      'listed with READDIR',
      ...(minor < 24 ? [] : ['holes told']),
      'ended',
    ]);
  });
});

test('a later major version is asked for ours, and then served', (ctx) => {
  const lines = play(ctx, '8.45');
  expect(lines.slice(0, 2)).toEqual(['asked for major version 7', agreed(45)]);
  expect(lines.at(-1)).toBe('ended');
});

test.for(['7.22', '7.8', '6.45'])(
  'a kernel of %s is refused, and the message names the oldest that is served',
  (version, ctx) => {
    expect(play(ctx, version)).toEqual([
      `refused unsupported: expected a kernel with FUSE 7.23 or later (Linux 3.15), found ${version}; use shoal extract instead`,
    ]);
  },
);

test.for([1, 2, 3])(
  'requests that are cut off, senseless or random are answered as such, and the session lives (seed %i)',
  (seed, ctx) => {
    const program = programs.hostile_kernel;
    if ('missing' in program) return ctx.skip(program.missing);
    expect(execFileSync(program.path, [images.acls, String(seed)], { encoding: 'utf8' })).toMatch(
      /^cut off: refused\nrandom: \d+ answered\nhandshakes: refused\nended\n$/,
    );
  },
);
