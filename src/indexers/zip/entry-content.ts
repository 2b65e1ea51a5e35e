import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { ShoalError } from '../../base/errors.ts';
import type { FileWindows } from './file-windows.ts';
import { malformed, type ZipEntry } from './zip-entries.ts';

/** Content up to this is inflated by one call, which costs less than a stream does. In bytes. */
const longestWhole = 1 << 20;
const pieceLength = 1 << 18;

/**
 * Hands an entry's content on in pieces, which hold its stated length, no more and no less; throws `checksum` at the end where it is another one, `malformed`,
 * `truncated`.
 */
export async function readContent(
  file: FileWindows,
  entry: ZipEntry,
  write: (bytes: Uint8Array) => void,
): Promise<void> {
  let length = 0;
  let checksum = 0;
  const take = (bytes: Uint8Array) => {
    length += bytes.length;
    if (length > entry.length) throw malformed(`the content is longer than ${entry.length} bytes`, entry.shown);
    checksum = zlib.crc32(bytes, checksum);
    write(bytes);
  };
  if (!entry.isCompressed) {
    for (const piece of storedPieces(file, entry)) take(piece);
  } else if (entry.length <= longestWhole && entry.storedLength <= longestWhole) {
    inflateWhole(file, entry, take);
  } else {
    await inflatePieces(file, entry, take);
  }
  if (length !== entry.length)
    throw malformed(`the content is ${length} bytes long instead of ${entry.length}`, entry.shown);
  if (checksum === entry.checksum) return;
  throw new ShoalError(
    'checksum',
    `expected content of \`${entry.shown}\` with CRC-32 ${hex(entry.checksum)}, found ${hex(checksum)}; the zip is damaged, copy it anew`,
  );
}

function* storedPieces(file: FileWindows, { offset, storedLength }: ZipEntry): Generator<Buffer> {
  for (let done = 0; done < storedLength; done += pieceLength)
    yield file.bytes(offset + done, Math.min(pieceLength, storedLength - done));
}

function inflateWhole(file: FileWindows, entry: ZipEntry, take: (bytes: Uint8Array) => void): void {
  const { offset, storedLength, length } = entry;
  const options = { info: true, maxOutputLength: length + 1, chunkSize: Math.max(64, length + 1) } as const;
  let result: { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
  try {
    // With `info` it gives an object, which its types do not say.
    result = zlib.inflateRawSync(file.bytes(offset, storedLength), options) as never;
  } catch (error) {
    throw inflateError(error, entry);
  }
  checkEnd(result.engine.bytesWritten, entry);
  take(result.buffer);
}

async function inflatePieces(file: FileWindows, entry: ZipEntry, take: (bytes: Uint8Array) => void): Promise<void> {
  const inflate = zlib.createInflateRaw({ chunkSize: pieceLength });
  let refused: unknown;
  const drain = async (pieces: AsyncIterable<Buffer>) => {
    for await (const piece of pieces) {
      try {
        take(piece);
      } catch (error) {
        refused = error; // the pipeline would say that it was aborted
        throw error;
      }
    }
  };
  await pipeline(Readable.from(storedPieces(file, entry)), inflate, drain).catch((error: unknown) => {
    throw refused ?? inflateError(error, entry);
  });
  checkEnd(inflate.bytesWritten, entry);
}

/** What is compressed says itself where it ends. */
function checkEnd(used: number, { storedLength, shown }: ZipEntry): void {
  if (used !== storedLength) throw malformed(`the content ends after ${used} of ${storedLength} bytes`, shown);
}

function inflateError(error: unknown, entry: ZipEntry): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_BUFFER_TOO_LARGE')
    return malformed(`the content is longer than ${entry.length} bytes`, entry.shown);
  if (typeof code !== 'string' || !code.startsWith('Z_')) return error;
  return malformed(`the content cannot be decompressed (${(error as Error).message})`, entry.shown);
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}
