import { execFile } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFiles } from './layers/read-files.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const minutes = 60_000;

let scratch: string;
let tarball: string;
/** An empty project into which the tarball is installed. */
let project: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'shoal-shipping-'));
  // Packed in a copy: packing bundles anew, and other tests run the bundle meanwhile.
  const copy = join(scratch, 'copy');
  const left = ['.git', 'benchmarks', 'build/asan', 'coverage', 'dist', 'node_modules', 'prebuilds', 'test'];
  cpSync(root, copy, {
    recursive: true,
    preserveTimestamps: true, // so that make sees that the addon is up to date
    filter: (path) => !left.includes(relative(root, path)),
  });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  const { stdout } = await run('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', scratch], {
    cwd: copy,
  });
  tarball = join(scratch, packedName(stdout));
  for (const shipped of ['prebuilds', 'native/zstd']) expect(existsSync(join(copy, shipped))).toBe(false);

  project = join(scratch, 'project');
  await mkdir(project);
  // The packages that building needs come from here, so that no registry is asked.
  const local = (name: string) => `file:${join(root, 'node_modules', name)}`;
  const overrides = {
    'node-addon-api': local('node-addon-api'),
    'node-api-headers': local('node-api-headers'),
  };
  await writeFile(
    join(project, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies: { shoal: `file:${tarball}` }, overrides }),
  );
  await run('npm', ['install', '--offline', '--omit=optional', '--no-audit', '--no-fund'], { cwd: project });
}, 10 * minutes);

afterAll(() => rm(scratch, { recursive: true, force: true }));

test('the package holds the bundles, the addon, its sources, and nothing of tests or benchmarks', async () => {
  const { stdout } = await run('tar', ['-tzf', tarball]);
  const paths = stdout
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''));
  const groups = paths.map((path) =>
    path
      .replace(/^(dist\/types)\/.*/, '$1/**')
      .replace(/^(native\/zstd)\/.*\.(c|S|h)$/, '$1/**')
      .replace(/^(native\/\w+)\/.*\.(cc|h)$/, '$1/*')
      .replace(/^(prebuilds)\/.*\//, '$1/*/'),
  );
  expect([...new Set(groups)].sort()).toMatchInlineSnapshot(`
    [
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "bin/shoal.js",
      "dist/index.js",
      "dist/mount-server.js",
      "dist/shoal.js",
      "dist/types/**",
      "dist/zip-to-tar.js",
      "docs/FORMAT.md",
      "native/Makefile",
      "native/addon/*",
      "native/core/*",
      "native/fuse/*",
      "native/install.mjs",
      "native/pack/*",
      "native/remove/*",
      "native/unpack/*",
      "native/zstd/**",
      "native/zstd/LICENSE",
      "package.json",
      "prebuilds/*/shoal.node",
    ]
  `);
  for (const source of readFiles(join(root, 'native'), /\.(cc|h)$/).keys()) expect(paths).toContain(`native/${source}`);
});

test('installing brings no packages but those of headers', async () => {
  const installed = await readdir(join(project, 'node_modules'));
  expect(installed.filter((name) => !name.startsWith('.'))).toEqual(['node-addon-api', 'node-api-headers', 'shoal']);
});

test('installed, the command packs and lists with the prebuilt addon', async () => {
  expect(existsSync(join(project, 'node_modules/shoal/build'))).toBe(false);
  const { stdout } = await shoal('--version');
  expect(stdout).toBe(`shoal ${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version}\n`);
  expect(await packAndList('prebuilt')).toBe('hello');
});

test('without the optional package of the js engine that engine alone is missing, and says what to install', async () => {
  expect(existsSync(join(project, 'node_modules/fuse-native'))).toBe(false);
  await packAndList('one-engine');
  const directory = join(scratch, 'mounted');
  await mkdir(directory);
  const failed = await shoal('mount', join(scratch, 'one-engine.shoal'), directory, '-o', 'engine=js').then(
    () => expect.unreachable('it mounted'),
    (error) => error as { code: number; stderr: string },
  );
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain('npm install fuse-native@2.2.6');
});

test('the library can be imported, and its types are found', async () => {
  await writeFile(
    join(project, 'use.ts'),
    "import { isShoalError, packTree } from 'shoal';\nexport const known: boolean = isShoalError(new Error());\nexport const pack: (...args: never[]) => Promise<unknown> = packTree;\n",
  );
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
  const typeRoots = ['--typeRoots', join(root, 'node_modules/@types')];
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...typeRoots, 'use.ts'], {
    cwd: project,
  });
  const script = "import { packTree } from 'shoal'; console.log(typeof packTree);";
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: project });
  expect(stdout).toBe('function\n');
});

test('where a tool is missing, installing says which, and how to get it', async () => {
  await spoilPrebuilt();
  const tools = join(scratch, 'tools');
  await mkdir(tools);
  const install = () =>
    run(process.execPath, [join(project, 'node_modules/shoal/native/install.mjs')], { env: { PATH: tools } }).then(
      () => expect.unreachable('it succeeded'),
      (error) => ({ status: error.code as number, said: error.stderr as string }),
    );
  const withoutMake = await install();
  expect(withoutMake.status).toBe(1);
  expect(withoutMake.said).toContain('make was not found');
  expect(withoutMake.said).toContain('apt-get install g++ make');
  await symlink(await whichMake(), join(tools, 'make'));
  const withoutCompiler = await install();
  expect(withoutCompiler.status).toBe(1);
  expect(withoutCompiler.said).toContain(
    'no C++17 compiler was found (c++: not found; g++: not found; clang++: not found)',
  );
  expect(withoutCompiler.said).toContain('dnf install gcc-c++ make');
});

test(
  'where the prebuilt addon does not load, installing builds it from the packed sources',
  async () => {
    await spoilPrebuilt();
    const { stdout } = await run('npm', ['rebuild', '--foreground-scripts', 'shoal'], { cwd: project });
    expect(stdout).toMatch(/shoal: built the native addon with .+ in \d+ s/);
    expect(await packAndList('built')).toBe('hello');
    const again = await run(process.execPath, [join(project, 'node_modules/shoal/native/install.mjs'), '--build']);
    expect(again).toEqual({ stdout: '', stderr: '' });
  },
  10 * minutes,
);

function shoal(...options: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(join(project, 'node_modules/.bin/shoal'), options);
}

/** Packs a tree of one file, and returns what `ls` prints. */
async function packAndList(name: string): Promise<string> {
  const tree = join(scratch, `tree-${name}`);
  await mkdir(tree);
  await writeFile(join(tree, 'hello'), 'world');
  const image = join(scratch, `${name}.shoal`);
  await shoal('pack', tree, '-o', image);
  return (await shoal('ls', image)).stdout.trim();
}

/** Leaves a file in the prebuilt addon's place that no loader takes, as a prebuilt one for a newer C library is. */
async function spoilPrebuilt(): Promise<void> {
  const prebuilds = join(project, 'node_modules/shoal/prebuilds');
  for (const platform of await readdir(prebuilds)) await writeFile(join(prebuilds, platform, 'shoal.node'), 'spoilt');
}

async function whichMake(): Promise<string> {
  return (await run('sh', ['-c', 'command -v make'])).stdout.trim();
}

/** The tarball's name in what `npm pack --json` prints after the lines of its scripts. */
function packedName(output: string): string {
  return JSON.parse(output.slice(output.indexOf('[')))[0].filename;
}
