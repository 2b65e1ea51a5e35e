import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { loadFuseNative } from '../../src/mount/fuse-native.ts';
import { mountImage } from '../../src/mount/mount-image.ts';
import type { MountOptions } from '../../src/mount/mount-options.ts';
import { isRunning, until } from '../mount/scene.ts';
import { nativeProgram, type Sanitizer } from '../support/native-programs.ts';
import { cannotRun, launcher } from '../support/sanitizers.ts';

/** What engines differ in. Everything else the contract asks of all of them. */
export interface Abilities {
  /** Names, and targets of links, of any bytes. Without it such names are missing, and such links cannot be read. */
  readonly anyBytes: boolean;
  /** Times to the nanosecond, and those before 1970. Without it: milliseconds since 1970. */
  readonly exactTimes: boolean;
  /** Holes are told as holes (SEEK_HOLE). Without it: as zeros. */
  readonly holes: boolean;
  /** Access control lists are enforced. Without it: what has one is open to its owner alone where others are let in. */
  readonly accessControlLists: boolean;
}

export interface Server {
  /** What it told of trouble so far. */
  log(): string;
  /** Unmounts, waits for its end and throws if it failed: a sanitizer's report is a failure. */
  stop(): Promise<void>;
}

export interface ContractEngine {
  readonly name: string;
  readonly abilities: Abilities;
  /** Why it cannot serve here, or undefined. May build what it needs. */
  missing(): string | undefined;
  /** Serves the image; resolves when it is ready. `log` is the name of a file that it may write. */
  serve(image: string, directory: string, options: MountOptions, log: string): Promise<Server>;
}

const everything: Abilities = { anyBytes: true, exactTimes: true, holes: true, accessControlLists: true };

export const nativeEngine: ContractEngine = {
  name: 'native',
  abilities: everything,
  missing: () => undefined,
  serve: serveInBackground,
};

/** Its differences are those of fuse-native: paths are JavaScript's strings, times are milliseconds, and it has neither lseek nor access control lists. */
export const jsEngine: ContractEngine = {
  name: 'js',
  abilities: { anyBytes: false, exactTimes: false, holes: false, accessControlLists: false },
  missing: fuseNativeMissing,
  serve: (image, directory, options, log) => serveInBackground(image, directory, { ...options, engine: 'js' }, log),
};

export const plainServer = (sanitizer: Sanitizer): ContractEngine => ({
  name: `native, as a plain C++ server with ${sanitizer === 'asan' ? 'AddressSanitizer' : 'ThreadSanitizer'}`,
  abilities: everything,
  missing: () => {
    const program = nativeProgram('serve_image', sanitizer);
    return 'missing' in program ? program.missing : cannotRun(program.path);
  },
  serve: (image, directory, options, log) => {
    const program = nativeProgram('serve_image', sanitizer);
    if ('missing' in program) throw new Error(program.missing);
    return serveAsProgram([...launcher(program.path), image, directory, ...programOptions(options)], log);
  },
});

/** Why engine=js cannot be tested here, or undefined. */
export function fuseNativeMissing(): string | undefined {
  try {
    loadFuseNative();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function serveInBackground(
  image: string,
  directory: string,
  options: MountOptions,
  log: string,
): Promise<Server> {
  writeFileSync(log, '');
  const mounted = await mountImage(image, directory, { ...options, log });
  return {
    log: () => readFileSync(log, 'utf8'),
    stop: async () => {
      await mounted.unmount();
      await until(() => !isRunning(mounted.pid));
    },
  };
}

/** Its words go to a file: a pipe that nobody empties while this process waits for an answer would hold the server up. */
async function serveAsProgram(command: readonly string[], log: string): Promise<Server> {
  const [program, ...args] = command;
  const descriptor = openSync(log, 'w');
  const server = spawn(program as string, args, { stdio: ['ignore', 'pipe', descriptor] });
  closeSync(descriptor);
  const said = () => readFileSync(log, 'utf8');
  const [first] = await Promise.race([once(server.stdout as Readable, 'data'), once(server, 'exit')]);
  if (!Buffer.isBuffer(first)) throw new Error(`serve_image ended with ${first}: ${said()}`);
  return {
    log: said,
    stop: async () => {
      server.kill('SIGTERM');
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
      if (server.exitCode !== 0) {
        throw new Error(`serve_image ended with ${server.exitCode ?? server.signalCode}: ${said()}`);
      }
    },
  };
}

function programOptions(options: MountOptions): string[] {
  const { uid, gid, fmask, dmask, allowOther = false, ...others } = options;
  if (Object.keys(others).length > 0) throw new Error(`serve_image does not know ${Object.keys(others)}`);
  return [
    ...(uid === undefined ? [] : [`uid=${uid}`]),
    ...(gid === undefined ? [] : [`gid=${gid}`]),
    ...(fmask === undefined ? [] : [`fmask=${fmask.toString(8)}`]),
    ...(dmask === undefined ? [] : [`dmask=${dmask.toString(8)}`]),
    `allow_other=${Number(allowOther)}`,
  ];
}
