import type { EntryMetadata } from './entry-metadata.ts';

const block = 512;
const types = { file: '0', directory: '5', symlink: '2' } as const;
/** What fits into the octal digits of a field. */
const largestOwner = 0o7777777;
const largestSize = 0o77777777777;
const longestName = 100;

/**
 * The header of a tar member (POSIX pax), with an extended one before it where something does not fit. `size` is that of its data, in bytes. Not tar-stream's,
 * which takes names as text: here they are any bytes.
 */
export function tarHeader(entry: EntryMetadata, size: number, linkTarget: Buffer): Buffer {
  const { path, uid, gid, seconds, nanoseconds } = entry;
  const records: Buffer[] = [];
  const add = (key: string, value: Buffer | string) => records.push(record(key, Buffer.from(value)));
  if (path.length > longestName) add('path', path);
  if (linkTarget.length > longestName) add('linkpath', linkTarget);
  if (uid > largestOwner) add('uid', `${uid}`);
  if (gid > largestOwner) add('gid', `${gid}`);
  if (size > largestSize) add('size', `${size}`);
  const hasPlainTime = nanoseconds === 0 && seconds >= 0 && seconds <= largestSize;
  if (!hasPlainTime) add('mtime', decimalTime(seconds, nanoseconds));

  const header = ustarHeader(path, types[entry.kind], size, linkTarget);
  header.write(octal(entry.mode, 7), 100, 'latin1');
  header.write(octal(uid > largestOwner ? 0 : uid, 7), 108, 'latin1');
  header.write(octal(gid > largestOwner ? 0 : gid, 7), 116, 'latin1');
  header.write(octal(hasPlainTime ? seconds : 0, 11), 136, 'latin1');
  const own = withChecksum(header);
  if (records.length === 0) return own;
  const extended = Buffer.concat(records);
  const before = withChecksum(ustarHeader(Buffer.from('pax'), 'x', extended.length, Buffer.alloc(0)));
  return Buffer.concat([before, extended, tarPadding(extended.length), own]);
}

/** The zeros that fill the last block of `size` bytes. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block);
}

/** What ends a tar. */
export const tarEnd = Buffer.alloc(2 * block);

function ustarHeader(name: Buffer, type: string, size: number, linkTarget: Buffer): Buffer {
  const header = Buffer.alloc(block);
  header.set(name.subarray(0, longestName), 0);
  header.write(octal(size > largestSize ? 0 : size, 11), 124, 'latin1');
  header.write(type, 156, 'latin1');
  header.set(linkTarget.subarray(0, longestName), 157);
  header.write('ustar\x0000', 257, 'latin1');
  return header;
}

function withChecksum(header: Buffer): Buffer {
  header.fill(' ', 148, 156);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** "LENGTH KEY=VALUE\n", of which LENGTH counts itself. */
function record(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + `${rest}`.length;
  if (`${length}`.length > `${rest}`.length) length++;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')]);
}

/** A negative one is -1.25 s for 2 s before 1970 and 750 000 000 ns. */
function decimalTime(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return `${seconds}`;
  const fraction = (value: number) => `${value}`.padStart(9, '0');
  return seconds >= 0
    ? `${seconds}.${fraction(nanoseconds)}`
    : `-${-seconds - 1}.${fraction(1_000_000_000 - nanoseconds)}`;
}
