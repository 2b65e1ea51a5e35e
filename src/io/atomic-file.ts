import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { systemCode, systemError } from './system-error.ts';

export interface AtomicFileOptions {
  /** Whether a file that is there gives way; if not, `exists` is thrown. */
  readonly replace: boolean;
  /** Where the bytes are collected, in the same directory; a name of its own, beginning with `.shoal-`, if not given. */
  readonly temporary?: Buffer;
}

/** A file that is being written. */
export interface FileWriter {
  /** Writes the parts behind what was written before, each before the next one is asked for. */
  append(parts: Iterable<Uint8Array>): Promise<void>;
  /** Writes over the first bytes. */
  replaceHead(bytes: Uint8Array): Promise<void>;
}

/**
 * Writes a file so that at every moment there is the whole of it, or what was there before, under `path`; a power failure included. `write` writes it;
 * where that fails, there is nothing of it.
 */
export async function writeFileAtomically<Result>(
  path: Buffer,
  write: (file: FileWriter) => Promise<Result>,
  options: AtomicFileOptions,
): Promise<Result> {
  const temporary = options.temporary ?? temporaryBeside(path);
  const result = await writeNewFile(temporary, write);
  try {
    await publishFile(temporary, path, options.replace);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  return result;
}

/** A name that nobody else uses, in the directory of `path`. */
export function temporaryBeside(path: Buffer): Buffer {
  return Buffer.concat([
    path.subarray(0, path.lastIndexOf(0x2f) + 1),
    Buffer.from(`.shoal-${randomBytes(8).toString('hex')}.tmp`),
  ]);
}

/** Writes, by `write`, and syncs a file that must not exist before. Leaves nothing behind if that fails. */
export async function writeNewFile<Result>(
  path: Buffer,
  write: (file: FileWriter) => Promise<Result>,
): Promise<Result> {
  const shown = showBytes(path);
  const file = await open(path, 'wx', 0o666).catch((error: unknown) => {
    throw systemError('create', shown, error);
  });
  const told = async (work: Promise<void>) => {
    await work.catch((error: unknown) => {
      throw systemError('write', shown, error);
    });
  };
  try {
    const result = await write({
      append: async (parts) => {
        for (const part of parts) await told(writeAll(file, part, null));
      },
      replaceHead: (bytes) => told(writeAll(file, bytes, 0)),
    });
    await told(file.sync());
    return result;
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
}

/** At `position`, or behind what was written before. */
async function writeAll(file: FileHandle, bytes: Uint8Array, position: number | null): Promise<void> {
  // Linux writes at most 2 GiB at a time.
  const step = 2 ** 26;
  for (let at = 0; at < bytes.length; ) {
    const to = position === null ? null : position + at;
    at += (await file.write(bytes, at, Math.min(step, bytes.length - at), to)).bytesWritten;
  }
}

/** Gives the synced file `temporary` its final name `path`, and syncs the directory. Throws `exists` if `path` exists and must not give way. */
export async function publishFile(temporary: Buffer, path: Buffer, replace: boolean): Promise<void> {
  const shown = showBytes(path);
  try {
    if (replace) await rename(temporary, path);
    else await renameToNew(temporary, path);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') {
      throw new ShoalError('exists', 'expected no file here, found one; give another name or --force', {
        path: shown,
        cause: error,
      });
    }
    throw systemError('rename to', shown, error);
  }
  await syncDirectoryOf(path);
}

/** link(2) fails where there is a file already; rename(2) would replace it. */
async function renameToNew(temporary: Buffer, path: Buffer): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    // Filesystems without hard links.
    if (!['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EMLINK'].includes(systemCode(error) ?? '')) throw error;
    await (await open(path, 'wx', 0o666)).close();
    await rename(temporary, path);
    return;
  }
  await unlink(temporary);
}

/** Makes what somebody wrote to the file at `path` durable. */
export async function syncFile(path: Buffer): Promise<void> {
  await syncAt(path).catch((error: unknown) => {
    throw systemError('sync', showBytes(path), error);
  });
}

/** Makes the names in the directory of `path` durable. */
export async function syncDirectoryOf(path: Buffer): Promise<void> {
  const slash = path.lastIndexOf(0x2f);
  const directory = slash === -1 ? Buffer.from('.') : path.subarray(0, Math.max(1, slash));
  await syncAt(directory).catch((error: unknown) => {
    // Some network filesystems cannot sync a directory; their names are durable when the call returns.
    if (systemCode(error) !== 'EINVAL') throw systemError('sync the directory', showBytes(directory), error);
  });
}

/** Throws as the filesystem does. */
async function syncAt(path: Buffer): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
