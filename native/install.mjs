// Makes sure that there is a native addon. As npm's install script: is silent where the prebuilt one loads, else builds it from native/.
//   node native/install.mjs            install script
//   node native/install.mjs --build    builds what is not up to date; says nothing where nothing was to do
//   node native/install.mjs --ship     copies the built addon and zstd's sources to where the package ships them; --unship removes them again
// Needs make and a C++17 compiler, no network and no node-gyp: Node-API's headers are npm packages, zstd's sources come with this one.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const prebuilt = join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'shoal.node');
const built = join(root, 'build', 'release', 'shoal.node');
/** What the Makefile compiles of zstd, as the package ships it. In a clone it lies in the package that it was taken from. */
const shippedZstd = join(root, 'native', 'zstd');

const TOOLS = `Install them and run \`npm run build:native\` here (or the same npm command again):
    Debian, Ubuntu:        apt-get install g++ make
    Rocky, RHEL, Fedora:   dnf install gcc-c++ make
    a cluster's modules:   module load gcc    (any version from 8 on; or set CXX to a compiler's path)`;

const request = process.argv[2];
if (request === '--ship') ship();
else if (request === '--unship') unship();
else if (request === '--build') build();
else if (loadFailure(prebuilt) !== undefined) build();

function ship() {
  mkdirSync(dirname(prebuilt), { recursive: true });
  cpSync(built, prebuilt);
  rmSync(shippedZstd, { recursive: true, force: true });
  cpSync(zstdOfPackage(), shippedZstd, { recursive: true, preserveTimestamps: true });
  cpSync(join(dirname(zstdOfPackage()), 'LICENSE'), join(shippedZstd, 'LICENSE'));
}

function unship() {
  for (const shipped of [join(root, 'prebuilds'), shippedZstd]) rmSync(shipped, { recursive: true, force: true });
}

function zstdOfPackage() {
  return join(dirname(require.resolve('zstd-napi/package.json')), 'deps', 'zstd', 'lib');
}

function build() {
  if (process.platform !== 'linux') {
    console.log(
      `shoal: packing, extracting, verifying and mounting need Linux and are not available on ${process.platform}; ls, stat, cat, du and info work.`,
    );
    return;
  }
  const isCurrent = make(['--question']);
  if (isCurrent.error) fail(`make was not found. ${TOOLS}`);
  if (isCurrent.status === 0 && loadFailure(built) === undefined) return;

  const started = Date.now();
  const compiler = findCompiler();
  // Objects that are up to date and still do not load came from another machine, as in a home directory that several clusters share.
  const again = isCurrent.status === 0 ? ['--always-make'] : [];
  const result = make([
    ...again,
    `-j${availableParallelism()}`,
    `CXX=${compiler.command}`,
    `RUNTIME_LINK=${compiler.runtimeLink}`,
  ]);
  if (result.status !== 0)
    fail(`the native addon could not be built with ${compiler.command}:\n${result.stdout}${result.stderr}`);
  if (request === '--build' && result.stderr) console.error(result.stderr.trimEnd());
  const failure = loadFailure(built);
  if (failure !== undefined) fail(`the native addon was built, but does not load: ${failure}`);
  console.log(
    `shoal: built the native addon with ${compiler.command} in ${Math.round((Date.now() - started) / 1000)} s`,
  );
}

/** Runs make in native/. The packages of headers may lie in this package's node_modules or in one above it. */
function make(options) {
  const variables = [
    `NODE_API_INCLUDE=${join(dirname(require.resolve('node-api-headers/package.json')), 'include')}`,
    `NODE_ADDON_API_INCLUDE=${dirname(require.resolve('node-addon-api/package.json'))}`,
    `ZSTD=${existsSync(shippedZstd) ? shippedZstd : zstdOfPackage()}`,
  ];
  return spawnSync('make', ['-C', join(root, 'native'), '--no-print-directory', ...options, ...variables], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
}

/**
 * The first compiler of CXX, c++, g++ and clang++ that makes a shared object of a C++17 program. The C++ runtime is linked statically where
 * its archive is installed (Rocky has it in a package of its own), so that the addon also loads on a node with an older one.
 */
function findCompiler() {
  const directory = mkdtempSync(join(tmpdir(), 'shoal-compiler-'));
  try {
    const source = join(directory, 'probe.cc');
    writeFileSync(
      source,
      '#include <optional>\n#include <string_view>\n#include <thread>\n' +
        'int Probe(std::optional<std::string_view> text) { std::thread([] {}).join(); if constexpr (sizeof(int) == 4) return text ? 1 : 0; }\n',
    );
    const tried = [];
    for (const command of process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++']) {
      let result;
      for (const runtimeLink of ['-static-libstdc++ -static-libgcc', '']) {
        const options = ['-std=c++17', '-fPIC', '-pthread', '-shared', ...runtimeLink.split(' ').filter(Boolean)];
        const [program, ...own] = command.split(' ');
        result = spawnSync(program, [...own, ...options, source, '-o', join(directory, 'probe.so')], {
          encoding: 'utf8',
        });
        if (result.status === 0) return { command, runtimeLink };
      }
      tried.push(result.error ? `${command}: not found` : `${command}: no C++17 (${firstLine(result.stderr)})`);
    }
    return fail(`no C++17 compiler was found (${tried.join('; ')}). ${TOOLS}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function firstLine(text) {
  return text.trim().split('\n', 1)[0];
}

/** Why `file` can not be loaded; undefined where it can. */
function loadFailure(file) {
  if (!existsSync(file)) return 'not there';
  try {
    require(file);
    return undefined;
  } catch (error) {
    return error.message;
  }
}

function fail(message) {
  console.error(`shoal: ${message}`);
  process.exit(1);
}
