import { constants } from 'node:fs';
import { access, lstat, open, rename, stat, unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { temporaryBeside } from '../io/atomic-file.ts';
import { systemCode, systemError } from '../io/system-error.ts';
import { resolveParent } from './mount-point.ts';

const periodMilliseconds = 10_000;

/** Storage that does not answer must not keep a server from ending. */
const lastMilliseconds = 2000;

/** Where a file of metrics will be: absolute. Throws where none can be written, before anything is mounted. */
export async function resolveMetricsFile(path: Buffer): Promise<Buffer> {
  const shown = showBytes(path);
  try {
    const resolved = await resolveParent(path);
    const parent = resolved.subarray(0, Math.max(1, resolved.lastIndexOf(0x2f)));
    if (!(await stat(parent)).isDirectory()) throw noDirectory(shown);
    await access(parent, constants.W_OK | constants.X_OK);
    const there = await lstat(resolved).catch(() => undefined);
    if (there === undefined || there.isFile()) return resolved;
    // To rename over a device would be the end of it.
    throw new ShoalError('usage', 'expected a regular file for the metrics, or none, found something else', {
      path: shown,
    });
  } catch (error) {
    if (error instanceof ShoalError) throw error;
    const missing = systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR';
    throw missing ? noDirectory(shown) : systemError('write the metrics', shown, error);
  }
}

function noDirectory(path: string): ShoalError {
  const message = 'expected a directory for the metrics file, found none; create it with mkdir -p';
  return new ShoalError('usage', message, { path });
}

/**
 * Writes what `text` gives to `path`: now, then every 10 s, whether it has changed or not, so that the age of the file tells whether somebody
 * writes it, and a last time when closed. Where it cannot be written `tell` gets a line, once until it can again.
 */
export async function keepMetricsFile(
  path: Buffer,
  text: () => string,
  tell: (line: string) => void,
  period = periodMilliseconds,
): Promise<{ close(): Promise<void> }> {
  const closing = new AbortController();
  let told = false;
  const write = async () => {
    try {
      await writeMetricsFile(path, text());
      told = false;
    } catch (error) {
      if (!told)
        tell(`the metrics are not written until this is mended: ${(error as Error).message} (${showBytes(path)})`);
      told = true;
    }
  };
  const writeOnAndOn = async () => {
    // One at a time, however slow the storage is.
    while (await sleep(period, true, { ref: false, signal: closing.signal }).catch(() => false)) await write();
    await write();
  };
  await write();
  const done = writeOnAndOn();
  return {
    async close() {
      closing.abort();
      await Promise.race([done, sleep(lastMilliseconds, undefined, { ref: false })]);
    },
  };
}

/** A reader finds the former text or this one, never a part. Nothing is synced: after a crash nobody needs it. */
export async function writeMetricsFile(path: Buffer, text: string): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    const file = await open(temporary, 'wx', 0o644);
    try {
      await file.chmod(0o644); // Whatever the umask: other users collect it.
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw systemError('write the metrics', showBytes(path), error);
  }
}
