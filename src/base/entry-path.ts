import { isUtf8 } from 'node:buffer';
import { ShoalError } from './errors.ts';

/**
 * Bytes that are text but must not reach a terminal or a line of output as they are: controls, line separators, the marks that turn the
 * direction of writing (a name could show itself as another one), and the backslash, so that showing is reversible.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what it looks for.
const hidden = /[\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF\\]/;
const shortEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\\': '\\\\' };

/** A name or path as text of one line: valid UTF-8 as it is, every other byte as `\xNN`, a backslash as `\\`. {@link parseShownBytes} reverses it. */
export function showBytes(bytes: Uint8Array): string {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = isUtf8(whole) ? whole.toString() : undefined;
  if (text !== undefined && !hidden.test(text)) return text;
  let shown = '';
  for (let at = 0; at < whole.length; ) {
    const length = sequenceLength(whole, at);
    const character = length === 0 ? '' : whole.toString('utf8', at, at + length);
    if (character !== '' && !hidden.test(character)) shown += character;
    else shown += shortEscapes[character] ?? escapeBytes(whole.subarray(at, at + Math.max(1, length)));
    at += Math.max(1, length);
  }
  return shown;
}

/** The bytes that {@link showBytes} shows as `text`. Throws `usage` for a backslash that begins no escape. */
export function parseShownBytes(text: string): Buffer {
  if (!text.includes('\\')) return Buffer.from(text);
  const parts: Buffer[] = [];
  const pattern = /[^\\]+|\\x([0-9A-Fa-f]{2})|\\([ntr\\])/gy;
  let at = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (match[1] !== undefined) parts.push(Buffer.from(match[1], 'hex'));
    else if (match[2] !== undefined) parts.push(Buffer.from({ n: '\n', t: '\t', r: '\r' }[match[2]] ?? '\\'));
    else parts.push(Buffer.from(match[0]));
    at = pattern.lastIndex;
  }
  if (at < text.length) {
    throw new ShoalError(
      'usage',
      `expected \\xNN, \\n, \\t, \\r or \\\\ at character ${at + 1} of "${text}"; write a backslash as \\\\`,
    );
  }
  return Buffer.concat(parts);
}

/**
 * The names along a path within an image. Slashes at both ends, repeated ones and `.` are skipped, so the root is an empty list.
 * Throws `usage` for `..`, for NUL, and for a name over 255 bytes: no entry can be there.
 */
export function splitEntryPath(path: Buffer): Buffer[] {
  const names: Buffer[] = [];
  for (let start = 0; start <= path.length; ) {
    const slash = path.indexOf(0x2f, start);
    const end = slash === -1 ? path.length : slash;
    const name = path.subarray(start, end);
    if (name.length > 0 && !isDots(name, 1)) names.push(name);
    start = end + 1;
  }
  for (const name of names) {
    if (isDots(name, 2) || name.includes(0) || name.length > 255) {
      throw new ShoalError('usage', 'expected a path within the image, without "..", NUL and names over 255 bytes', {
        path: showBytes(path),
      });
    }
  }
  return names;
}

/** Why `name` cannot be that of an entry, or undefined if it can: it must have 1 to 255 bytes, no `/` or NUL, and be neither `.` nor `..`. */
export function nameProblem(name: Uint8Array): string | undefined {
  if (name.length === 0) return 'it is empty';
  if (name.length > 255) return 'it is longer than 255 bytes';
  if (name.includes(0)) return 'it holds a NUL';
  if (name.includes(0x2f)) return 'it holds a slash';
  return isDots(name, 1) || isDots(name, 2) ? 'it is "." or ".."' : undefined;
}

function isDots(name: Uint8Array, count: number): boolean {
  return name.length === count && name.every((byte) => byte === 0x2e);
}

function escapeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** Bytes of the UTF-8 sequence at `at`; 0 if there is no valid one. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at];
  const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}
