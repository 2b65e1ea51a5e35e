import { type Entry, fromRandomAccessReaderPromise, type ZipFile } from 'yauzl';
import { showBytes } from '../../base/entry-path.ts';
import { isShoalError, ShoalError } from '../../base/errors.ts';
import { type EntryMetadata, entryMetadata } from './entry-metadata.ts';
import type { FileWindows } from './file-windows.ts';

/** An entry of a zip and where its content lies. */
export interface ZipEntry {
  readonly metadata: EntryMetadata;
  readonly shown: string;
  readonly isCompressed: boolean;
  /** In bytes, in the file and as it is. */
  readonly storedLength: number;
  readonly length: number;
  readonly checksum: number;
  readonly offset: number;
}

const methods: Readonly<Record<number, string>> = {
  1: 'shrink',
  6: 'implode',
  9: 'deflate64',
  12: 'bzip2',
  14: 'lzma',
  19: 'lz77',
  20: 'zstd',
  93: 'zstd',
  94: 'mp3',
  95: 'xz',
  96: 'jpeg',
  97: 'wavpack',
  98: 'ppmd',
  99: 'AES encryption',
};
/** What may follow the last entry: the end, that of zip64, a digital signature. */
const directoryEnds: readonly number[] = [0x06054b50, 0x06064b50, 0x05054b50];
const stored = 0;
const deflated = 8;

/**
 * The entries in the order of the central directory. What a zip says twice, there and before the content, must agree, and no two entries may share bytes of the file:
 * a few bytes could stand for any amount of content, and two readers see two trees. Throws `malformed`, `truncated`; `unsupported` for what is
 * encrypted, compressed otherwise than by deflate, or split.
 */
export async function* zipEntries(
  file: FileWindows,
  owner: { readonly uid: number; readonly gid: number },
): AsyncGenerator<ZipEntry> {
  const starts = await entryStarts(file);
  const zip = await openZip(file);
  for await (const entry of centralDirectory(zip)) {
    checkSupported(entry);
    yield await readEntry(zip, entry, starts, owner);
  }
}

async function openZip(file: FileWindows): Promise<ZipFile> {
  const options = { autoClose: false, decodeStrings: false };
  return fromRandomAccessReaderPromise(file, file.length, options).catch(rethrow);
}

async function* centralDirectory(zip: ZipFile): AsyncGenerator<Entry> {
  const entries = zip.eachEntry();
  for (;;) {
    const next = await entries.next().catch(rethrow);
    if (next.done === true) return;
    yield next.value;
  }
}

/** Where all entries' own headers begin, sorted, and behind them the central directory, before which the last one must end. */
async function entryStarts(file: FileWindows): Promise<Float64Array> {
  const zip = await openZip(file);
  const starts = [Number(zip.readEntryCursor)];
  for await (const entry of centralDirectory(zip)) starts.push(entry.relativeOffsetOfLocalHeader);
  // The count of entries stands at the end alone. With a wrong one entries would be missing.
  const end = Number(zip.readEntryCursor);
  const signature = file.bytes(end, 4).readUInt32LE();
  if (!directoryEnds.includes(signature)) {
    const found = `expected the end of the zip's central directory behind ${zip.entryCount} entries, found something else; copy it anew`;
    throw new ShoalError('malformed', found, { offset: end });
  }
  return Float64Array.from(starts).sort();
}

async function readEntry(
  zip: ZipFile,
  entry: Entry,
  starts: Float64Array,
  owner: { readonly uid: number; readonly gid: number },
): Promise<ZipEntry> {
  const shown = showBytes(entry.fileNameRaw);
  const start = entry.relativeOffsetOfLocalHeader;
  const local = await zip.readLocalFileHeaderPromise(entry).catch(rethrow);
  const differs = (what: string) => malformed(`its own header has another ${what} than the central directory`, shown);
  if (!local.fileName.equals(entry.fileNameRaw)) throw differs('name');
  if (local.compressionMethod !== entry.compressionMethod) throw differs('method');
  // Where it stands behind the content, it is 0 here.
  const hasChecksum = (local.generalPurposeBitFlag & 8) === 0;
  if (hasChecksum && local.crc32 !== entry.crc32) throw differs('checksum');
  if (local.fileDataStart + entry.compressedSize > nextStart(starts, start))
    throw malformed('its content shares bytes of the file with another entry', shown);

  const metadata = await Promise.resolve()
    .then(() => entryMetadata(entry, local.extraField, owner))
    .catch(rethrow);
  if (metadata.path.includes(0)) throw malformed('its name has a NUL', shown);
  if (metadata.kind === 'directory' && entry.uncompressedSize > 0) throw malformed('a directory has content', shown);
  return {
    metadata,
    shown,
    isCompressed: entry.compressionMethod === deflated,
    storedLength: entry.compressedSize,
    length: entry.uncompressedSize,
    checksum: entry.crc32,
    offset: local.fileDataStart,
  };
}

/** The least of `starts` behind `start`; `start` itself where it is there twice. */
function nextStart(starts: Float64Array, start: number): number {
  let low = 0;
  for (let high = starts.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? 0) < start) low = middle + 1;
    else high = middle;
  }
  return starts[low + 1] ?? 0;
}

function checkSupported(entry: Entry): void {
  const shown = showBytes(entry.fileNameRaw);
  if (entry.isEncrypted()) {
    throw new ShoalError(
      'unsupported',
      `expected content that is not encrypted, found \`${shown}\`; extract the zip with its password and pack the directory`,
    );
  }
  const method = entry.compressionMethod;
  if (method === stored || method === deflated) return;
  const name = methods[method] === undefined ? `method ${method}` : `${methods[method]} (method ${method})`;
  throw new ShoalError(
    'unsupported',
    `expected content that is stored or deflated, found ${name} in \`${shown}\`; extract the zip and pack the directory`,
  );
}

/** Damage of the entry shown. */
export function malformed(what: string, shown: string): ShoalError {
  return new ShoalError(
    'malformed',
    `expected a whole zip, found \`${shown}\`, of which ${what}; copy it anew, or extract it with a program that forgives this and pack the directory`,
  );
}

/** yauzl throws what is for developers. */
function rethrow(error: unknown): never {
  if (isShoalError(error)) throw error;
  const reason = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
  if (reason.startsWith('multi-disk') || reason.startsWith('strong encryption'))
    throw new ShoalError(
      'unsupported',
      `expected a zip in one file that is not encrypted, found another one: ${reason}`,
    );
  throw new ShoalError('malformed', `expected a whole zip, found something else: ${reason}; copy it anew`);
}
