import { fstatSync, writeSync } from 'node:fs';
import zlib from 'node:zlib';
import { errorCodes, isShoalError, ShoalError } from '../../base/errors.ts';
import { systemCode } from '../../io/system-error.ts';
import { zipToTar } from './zip-to-tar.ts';

/**
 * The program that translates a zip, its standard input, which must be a file, into a tar, its standard output. It is what decompresses a zip for `shoal pack --from-archive`,
 * and ends as ArchiveStream in native/pack/archive_stream.cc expects it of one of ours: with 100 and the number of an error's code.
 */
const firstStatus = 100;

/** Small writes would wake up the reader for each. In bytes. */
const longestWait = 1 << 18;
const output = Buffer.allocUnsafe(longestWait);
let waiting = 0;
/** Until the reader has taken something of the 1 MiB that the pipe holds. In milliseconds. */
const pauseLength = 1;
const pause = new Int32Array(new SharedArrayBuffer(4));

function write(bytes: Uint8Array): void {
  if (waiting + bytes.length > output.length) flush();
  if (bytes.length > output.length) {
    writeAll(bytes);
  } else {
    output.set(bytes, waiting);
    waiting += bytes.length;
  }
}

function flush(): void {
  writeAll(output.subarray(0, waiting));
  waiting = 0;
}

function writeAll(bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(1, bytes, done);
    } catch (error) {
      // Whatever else is loaded into the process may have made the pipe one that does not wait.
      if (systemCode(error) !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, pauseLength);
    }
  }
}

function fail(error: unknown): never {
  // Who reads the tar has seen enough.
  if (systemCode(error) === 'EPIPE') process.exit(1);
  const message = error instanceof Error ? error.message : String(error);
  writeSync(2, `${message}\n`);
  process.exit(firstStatus + errorCodes.indexOf(isShoalError(error) ? error.code : 'internal') + 1);
}

try {
  if (typeof zlib.crc32 !== 'function')
    throw new ShoalError('unsupported', `expected Node 20.15 or newer to read a zip, found ${process.version}`);
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  await zipToTar(0, fstatSync(0).size, owner, write);
  flush();
} catch (error) {
  fail(error);
}
