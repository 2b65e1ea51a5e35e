import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { showBytes } from '../base/entry-path.ts';
import { type ErrorCode, errorCodes, isShoalError, ShoalError } from '../base/errors.ts';
import type { Addon } from './addon.ts';
import type { NativeFailure } from './problem.ts';

let loaded: Addon | undefined;

/**
 * The native addon: the one built on this machine, else the one shipped prebuilt for its platform. `SHOAL_ADDON` in the environment
 * names another file instead (a build with sanitizers).
 *
 * @throws ShoalError `unsupported`, saying what was tried and what to do.
 */
export function loadAddon(): Addon {
  loaded ??= loadFirst(candidates());
  return loaded;
}

/** `error` of a call into the addon as a ShoalError; whatever is no NativeFailure becomes `internal`. */
export function toShoalError(error: unknown): ShoalError {
  if (isShoalError(error)) return error;
  if (!isNativeFailure(error)) {
    return new ShoalError('internal', error instanceof Error ? error.message : String(error), { cause: error });
  }
  return new ShoalError(error.code, error.message, {
    ...(error.path === undefined ? {} : { path: showBytes(error.path) }),
    ...(error.offset === undefined ? {} : { offset: error.offset }),
    cause: error,
  });
}

function isNativeFailure(error: unknown): error is NativeFailure & { readonly code: ErrorCode } {
  return error instanceof Error && 'code' in error && (errorCodes as readonly unknown[]).includes(error.code);
}

function candidates(): string[] {
  const override = process.env['SHOAL_ADDON'];
  if (override) return [override];
  const root = packageRoot();
  return [
    join(root, 'build', 'release', 'shoal.node'),
    join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'shoal.node'),
  ];
}

/** This module runs from src/native/ in tests and from the bundles in dist/, so the root is searched upwards by its package.json. */
function packageRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let directory = start; ; directory = dirname(directory)) {
    const manifest = join(directory, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'shoal') return directory;
    if (dirname(directory) === directory) {
      throw new ShoalError('internal', `expected a package.json of shoal in a directory above ${start}, found none`);
    }
  }
}

function loadFirst(files: readonly string[]): Addon {
  const require = createRequire(import.meta.url);
  const tried: string[] = [];
  let cause: unknown;
  for (const file of files) {
    if (!existsSync(file)) {
      tried.push(`${file} (not there)`);
      continue;
    }
    try {
      return require(file) as Addon;
    } catch (error) {
      cause = error;
      tried.push(`${file} (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  throw new ShoalError('unsupported', `no native addon could be loaded; tried ${tried.join(', ')}. ${cure()}`, {
    cause,
  });
}

function cure(): string {
  if (process.platform !== 'linux') {
    return `Packing, extracting, verifying and mounting need Linux; ls, stat, cat, du and info work on ${process.platform} too.`;
  }
  return 'Run `npm run build:native` in the package directory; it needs make and a C++17 compiler such as g++ 8 or newer, and says how to get them.';
}
