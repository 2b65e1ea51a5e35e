import { closeSync, openSync, statSync, unlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { showBytes } from '../base/entry-path.ts';
import { isShoalError, ShoalError } from '../base/errors.ts';
import { openFileSource } from '../io/file-source.ts';
import { ownProgram } from '../io/own-program.ts';
import { systemError } from '../io/system-error.ts';
import type { NativeArchive } from '../native/packing.ts';
import { type JobOptions, throwIfCancelled } from '../native/run-job.ts';

/** How files begin that a program decompresses, and how it is called: from file(1)'s database. */
const decompressors: readonly (readonly [magic: string, command: readonly string[]])[] = [
  ['\x1f\x8b', ['gzip', '-dc']],
  ['BZh', ['bzip2', '-dc']],
  ['\xfd7zXZ\0', ['xz', '-dc']],
  ['\x28\xb5\x2f\xfd', ['zstd', '-dcq']],
  ['\x04\x22\x4d\x18', ['lz4', '-dc']],
];
/** How zips begin: with an entry, or where there is none with the end of the central directory. They have it at their end, so it is a program of our own that reads them. */
const zipMagics: readonly string[] = ['PK\x03\x04', 'PK\x05\x06'];
const longestMagic = 6;
/** Bytes between two reports of progress. */
const reportLength = 16 << 20;

/** An archive that is read twice, from its beginning each time. */
export interface ArchiveInput extends NativeArchive {
  /** Throws `changed` where it is no longer what it was. */
  checkSame(): void;
  close(): void;
}

/** The archive at `path`. Throws `missing`, `permission`, `io`; `unsupported` for what is no regular file. */
export function openArchive(path: Buffer): ArchiveInput {
  const before = stateOf(path);
  const checkSame = () => {
    if (stateOf(path) === before) return;
    const message = 'the archive changed while it was read; pack it when nothing writes to it';
    throw new ShoalError('changed', message, { path: showBytes(path) });
  };
  return { path, shown: path, ...decompression(path), checkSame, close: () => {} };
}

/**
 * An archive that comes as a stream, which can be read once only: it is kept as it comes in the new file `name`, which loses its name at once, so that nothing is
 * left of it whatever happens.
 */
export async function keepArchive(
  stream: AsyncIterable<Uint8Array>,
  name: Buffer,
  shown: string,
  { onProgress, signal }: JobOptions,
): Promise<ArchiveInput> {
  const descriptor = openNameless(name);
  const path = Buffer.from(`/proc/self/fd/${descriptor}`);
  try {
    const file = await open(path, 'r+');
    try {
      let length = 0;
      for await (const bytes of untilAborted(stream, signal)) {
        await file.writeFile(bytes);
        const reported = Math.floor(length / reportLength);
        length += bytes.length;
        if (Math.floor(length / reportLength) > reported) onProgress?.({ entriesDone: 0, bytesDone: length });
      }
    } catch (error) {
      if (isShoalError(error)) throw error;
      throw systemError('keep', shown, error);
    } finally {
      await file.close();
    }
    const close = () => closeSync(descriptor);
    return { path, shown: Buffer.from(shown), ...decompression(path), checkSame: () => {}, close };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** What the stream gives; throws `cancelled` when the signal aborts, though nothing may ever come again. */
async function* untilAborted<T>(stream: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  const iterator = stream[Symbol.asyncIterator]();
  let stop = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
  });
  signal?.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted]);
      throwIfCancelled(signal);
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    iterator.return?.()?.catch(() => undefined);
  }
}

function openNameless(name: Buffer): number {
  try {
    const descriptor = openSync(name, 'wx+', 0o600);
    unlinkSync(name);
    return descriptor;
  } catch (error) {
    throw systemError('create', showBytes(name), error);
  }
}

function decompression(path: Buffer): Pick<NativeArchive, 'command' | 'isOwn'> {
  const source = openFileSource(path, 'unsupported');
  try {
    const head = Buffer.alloc(Math.min(longestMagic, source.length));
    source.read(0, head);
    const text = head.toString('latin1');
    const isOwn = zipMagics.some((magic) => text.startsWith(magic));
    const found = decompressors.find(([magic]) => text.startsWith(magic))?.[1] ?? [];
    const command = isOwn
      ? [process.execPath, ...ownProgram('zip-to-tar.js', '../indexers/zip/zip-to-tar-main.ts')]
      : found;
    return { command: command.map((word) => Buffer.from(word)), isOwn };
  } finally {
    source.close();
  }
}

/** What changes when a file is written to. */
function stateOf(path: Buffer): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs].join();
  } catch (error) {
    throw systemError('open', showBytes(path), error);
  }
}
