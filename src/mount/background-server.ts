import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { showBytes } from '../base/entry-path.ts';
import { type ErrorCode, ShoalError } from '../base/errors.ts';
import { ownProgram } from '../io/own-program.ts';
import { systemError } from '../io/system-error.ts';
import type { ServeOptions } from './serve-images.ts';

/** What the server process reads from its standard input, as {@link encodeRequest} writes it. */
export interface ServerRequest {
  readonly images: readonly Buffer[];
  /** A number is the descriptor of whoever starts the server; the server gets it as {@link serverDescriptor}. */
  readonly target: Buffer | number;
  readonly options: ServeOptions;
}

export function encodeRequest(request: ServerRequest): string {
  return JSON.stringify(request);
}

export function decodeRequest(text: string): ServerRequest {
  return JSON.parse(text, (_, value) => (value?.type === 'Buffer' ? Buffer.from(value.data) : value));
}

/** What it writes to descriptor {@link readinessDescriptor}, one line: ready, or why not. */
export type Readiness =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      readonly path?: string;
      readonly offset?: number;
    };

export const readinessDescriptor = 3;
/** Where the server finds the /dev/fuse that it inherits, if it does. */
export const serverDescriptor = 4;

/** A server that has mounted. */
export interface BackgroundServer {
  readonly pid: number;
  /** Lets it outlive this process. */
  release(): void;
  end(): Promise<void>;
}

/**
 * Starts a process of its own session that serves the images, and waits until it has mounted. The caller checks that the mount works, then lets
 * go with `release`, or ends it.
 *
 * @throws ShoalError as the server told it.
 */
export async function startServer(request: ServerRequest, log: Buffer | undefined): Promise<BackgroundServer> {
  const server = launch(request.target, log);
  server.stdin?.on('error', () => {}); // It ended early; the readiness tells.
  server.stdin?.end(encodeRequest(request));
  const readiness = await readReadiness(server);
  if (!readiness.ok) {
    const { code, message, path, offset } = readiness;
    throw new ShoalError(code, message, {
      ...(path !== undefined && { path }),
      ...(offset !== undefined && { offset }),
    });
  }
  return {
    pid: server.pid as number,
    release: () => server.unref(),
    end: async () => {
      server.ref();
      server.kill('SIGTERM');
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    },
  };
}

function launch(target: Buffer | number, log: Buffer | undefined): ChildProcess {
  let logDescriptor: number | undefined;
  try {
    if (log !== undefined) logDescriptor = openSync(log, 'a', 0o644);
    // It stands in no directory, so that none is busy because of it.
    return spawn(process.execPath, ownProgram('mount-server.js', '../mount/server-main.ts'), {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', logDescriptor ?? 'ignore', 'pipe', ...(typeof target === 'number' ? [target] : [])],
    });
  } catch (error) {
    throw systemError('open the log', showBytes(log ?? Buffer.alloc(0)), error);
  } finally {
    if (logDescriptor !== undefined) closeSync(logDescriptor);
  }
}

async function readReadiness(server: ChildProcess): Promise<Readiness> {
  const failed = new Promise<Readiness>((resolve) => {
    server.on('error', (error) =>
      resolve({ ok: false, code: 'io', message: `cannot start the server: ${error.message}` }),
    );
  });
  return Promise.race([failed, readLine(server)]);
}

async function readLine(server: ChildProcess): Promise<Readiness> {
  let text = '';
  for await (const part of server.stdio[readinessDescriptor] as Readable) text += part;
  if (text.endsWith('\n')) return JSON.parse(text) as Readiness;
  const ending = server.signalCode ?? server.exitCode;
  return {
    ok: false,
    code: 'internal',
    message: `expected the server to say that it is ready, found that it ended${ending === null ? '' : ` (${ending})`}`,
  };
}
