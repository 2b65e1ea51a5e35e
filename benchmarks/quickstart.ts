import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Comparison, compareDirectories } from './quickstart/compare-directories.ts';
import { measureDirectories, rateTable } from './quickstart/measure-directories.ts';
import { xattrDifferences } from './quickstart/xattr-differences.ts';

/**
 * The main job on a real tree, as a user would do it: pack the project's own node_modules, mount it, compare everything through the mount, measure,
 * unmount, verify, extract, compare again. Any difference ends it with status 1.
 */

const program = fileURLToPath(new URL('../bin/shoal.js', import.meta.url));
const source = realpathSync(fileURLToPath(new URL('../node_modules', import.meta.url)));

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
  });
}

const work = mkdtempSync(join(tmpdir(), 'shoal-quickstart-'));
const image = join(work, 'node_modules.shoal');
const mountPoint = join(work, 'mount');
const target = join(work, 'extracted');

try {
  await quickstart();
} catch (error) {
  await hearSignals();
  console.error(interrupted ? 'Interrupted.' : `Failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = interrupted ? 130 : 1;
} finally {
  if (readdirSync(work).includes('mount')) spawnSync(process.execPath, [program, 'unmount', '--lazy', mountPoint]);
  rmSync(work, { recursive: true, force: true });
}

async function quickstart(): Promise<void> {
  mkdirSync(mountPoint);
  mkdirSync(target);
  console.log(`Packing ${source}`);
  await shoal('pack', source, '-o', image);

  const impossible = mountProblem();
  if (impossible === undefined) await checkMount();
  else console.log(`Not mounted: ${impossible}`);

  console.log('Verifying the image against the source, then extracting it');
  await shoal('verify', image, '--against', source);
  await shoal('extract', image, '-C', target);
  const { entries, bytes } = await compare('the extracted files', target, false);
  const where = impossible === undefined ? 'through the mount and after extraction' : 'after extraction';
  console.log(`Checked ${entries} entries, ${bytes} bytes, ${where}: names, types, modes, owners, links, sizes,`);
  console.log('times to the nanosecond, link targets, extended attributes and every byte are those of the source.');
}

/** Mounts. If that is impossible here, why, and the cure. */
function mountProblem(): string | undefined {
  const { status, stderr } = spawnSync(process.execPath, [program, 'mount', '--json', image, mountPoint], {
    encoding: 'utf8',
  });
  if (status === 0) return undefined;
  const { code, message } = (JSON.parse(stderr) as { error: { code: string; message: string } }).error;
  // Anything else is a fault of ours.
  if (code === 'unsupported' || code === 'permission') return message;
  throw new Error(`shoal mount: ${message}`);
}

async function checkMount(): Promise<void> {
  console.log('Comparing every byte and attribute through the mount with the source');
  await compare('the mount', mountPoint, true);
  console.log(`\n${rateTable(measureDirectories(mountPoint, source, work))}\n`);
  await shoal('unmount', mountPoint);
  const left = readdirSync(mountPoint);
  if (left.length > 0)
    throw new Error(`expected an empty directory after unmounting, found ${left.length} names in it`);
}

async function compare(what: string, directory: string, directoryLinks: boolean): Promise<Comparison> {
  const comparison = await compareDirectories(source, directory, { directoryLinks });
  await checkInterrupted();
  const differences = [...comparison.differences, ...xattrDifferences(source, directory)];
  if (differences.length === 0) return comparison;
  for (const difference of differences.slice(0, 20)) console.error(`  ${difference}`);
  throw new Error(`${differences.length} differences between the source and ${what}`);
}

async function shoal(...options: readonly string[]): Promise<void> {
  const { status, signal } = spawnSync(process.execPath, [program, ...options], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await checkInterrupted();
  if (status !== 0) throw new Error(`shoal ${options[0]} ended with ${status ?? signal}`);
}

/** Signals come in between two steps of the event loop, and most of our steps are long. */
async function hearSignals(): Promise<void> {
  await setImmediate();
}

async function checkInterrupted(): Promise<void> {
  await hearSignals();
  if (interrupted) throw new Error('interrupted');
}
