import { isUtf8 } from 'node:buffer';
import zlib from 'node:zlib';
import { type Entry, type ExtraField, getFileNameLowLevel, parseExtraFields } from 'yauzl';

/** What a zip says of one entry but its content. */
export interface EntryMetadata {
  readonly path: Buffer;
  readonly kind: 'file' | 'directory' | 'symlink';
  /** The lower 12 bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly seconds: number;
  readonly nanoseconds: number;
}

// Systems on which an archive was made: APPNOTE 4.4.2.2.
const dosLike: readonly number[] = [0, 6, 10, 11, 14];
const unixLike: readonly number[] = [3, 19];

const typeMask = 0o170000;
const directoryType = 0o040000;
const symlinkType = 0o120000;
const dosReadOnly = 0x01;
const dosDirectory = 0x10;

// Extra fields: APPNOTE 4.5 and 4.6, and Info-ZIP's proginfo/extrafld.txt.
const extendedTime = 0x5455;
const oldUnix = 0x5855;
const unixOwner = 0x7855;
const newUnixOwner = 0x7875;
const ntfsTimes = 0x000a;
const unicodePath = 0x7075;

/** 100 ns from 1601, where NTFS's time begins, to 1970. */
const ntfsEpoch = 116_444_736_000_000_000n;

/** Reads the metadata in the central directory, and what only the entry's own header has (`localExtra`), mostly owners. `owner` is that of entries without one. */
export function entryMetadata(
  entry: Entry,
  localExtra: Buffer,
  owner: { readonly uid: number; readonly gid: number },
): EntryMetadata {
  const path = pathOf(entry);
  const system = entry.versionMadeBy >> 8;
  const mode = unixLike.includes(system) ? entry.externalFileAttributes >>> 16 : 0;
  const type = mode & typeMask;
  const isDirectory =
    path.at(-1) === 0x2f ||
    type === directoryType ||
    (mode === 0 && (entry.externalFileAttributes & dosDirectory) !== 0);
  const kind = isDirectory ? 'directory' : type === symlinkType ? 'symlink' : 'file';
  const fields = [...entry.extraFields, ...parseExtraFields(localExtra)];
  return {
    path,
    kind,
    mode: permissionsOf(entry, mode, isDirectory),
    ...owner,
    ...ownerOf(fields),
    ...timeOf(entry, fields),
  };
}

/**
 * The bytes as they are stored: of an archive made on Unix they are those of the name there, whatever its encoding. Where a Unicode path stands beside them, that. What DOS
 * or Windows stored without the flag for UTF-8 is in code page 437, as the format says, and may have backslashes between components, as unzip(1) takes it.
 */
function pathOf(entry: Entry): Buffer {
  const unicode = entry.extraFields.find(
    ({ id, data }) => id === unicodePath && data.length > 5 && data[0] === 1,
  )?.data;
  let path = entry.fileNameRaw;
  const isFromDos = dosLike.includes(entry.versionMadeBy >> 8);
  if (unicode?.readUInt32LE(1) === zlib.crc32(entry.fileNameRaw)) {
    path = unicode.subarray(5);
  } else if (isFromDos && (entry.generalPurposeBitFlag & 0x800) === 0 && !isUtf8(path)) {
    path = Buffer.from(getFileNameLowLevel(0, path, [], true));
  }
  return isFromDos && !path.includes('/') ? Buffer.from(path.map((byte) => (byte === 0x5c ? 0x2f : byte))) : path;
}

function permissionsOf(entry: Entry, mode: number, isDirectory: boolean): number {
  if (mode !== 0) return mode & 0o7777;
  if (isDirectory) return 0o755;
  return (entry.externalFileAttributes & dosReadOnly) !== 0 ? 0o444 : 0o644;
}

function ownerOf(fields: readonly ExtraField[]): Partial<Pick<EntryMetadata, 'uid' | 'gid'>> {
  for (const { id, data } of fields) {
    if (id === newUnixOwner && data[0] === 1) {
      const uid = numberAt(data, 1);
      const gid = uid && numberAt(data, uid.end);
      if (uid && gid) return { uid: uid.value, gid: gid.value };
    }
    if (id === oldUnix && data.length >= 12) return { uid: data.readUInt16LE(8), gid: data.readUInt16LE(10) };
    if (id === unixOwner && data.length >= 4) return { uid: data.readUInt16LE(0), gid: data.readUInt16LE(2) };
  }
  return {};
}

/** A number of up to 32 bits behind its length in bytes. */
function numberAt(data: Buffer, at: number): { readonly value: number; readonly end: number } | undefined {
  const length = data[at];
  if (length === undefined || length === 0 || at + 1 + length > data.length) return undefined;
  const bytes = data.subarray(at + 1, at + 1 + length);
  if (bytes.subarray(4).some((byte) => byte !== 0)) return undefined;
  return { value: bytes.readUIntLE(0, Math.min(4, length)), end: at + 1 + length };
}

function timeOf(entry: Entry, fields: readonly ExtraField[]): Pick<EntryMetadata, 'seconds' | 'nanoseconds'> {
  for (const { id, data } of fields) {
    if (id === extendedTime && data.length >= 5 && ((data[0] ?? 0) & 1) !== 0)
      return { seconds: data.readInt32LE(1), nanoseconds: 0 };
    if (id === oldUnix && data.length >= 8) return { seconds: data.readInt32LE(4), nanoseconds: 0 };
    if (id === ntfsTimes && data.length >= 16 && data.readUInt16LE(4) === 1) {
      const ticks = data.readBigUInt64LE(8) - ntfsEpoch;
      const fraction = BigInt.asUintN(64, ((ticks % 10_000_000n) + 10_000_000n) % 10_000_000n);
      return { seconds: Number((ticks - fraction) / 10_000_000n), nanoseconds: Number(fraction) * 100 };
    }
  }
  return { seconds: dosTime(entry.lastModFileDate, entry.lastModFileTime), nanoseconds: 0 };
}

/** DOS times are of an unknown time zone. They are taken for UTC, so that an archive gives the same image everywhere. */
function dosTime(date: number, time: number): number {
  const [year, month, day] = [1980 + (date >> 9), Math.max(1, (date >> 5) & 15), Math.max(1, date & 31)];
  return Date.UTC(year, month - 1, day, time >> 11, (time >> 5) & 63, (time & 31) * 2) / 1000;
}
