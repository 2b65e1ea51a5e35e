import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';

/**
 * The arguments of this process. Node decodes them as UTF-8 and loses every byte that is none, so those are read again from the kernel and
 * stand in the text as lone surrogates: byte 0xNN as U+DCNN, as Python's surrogateescape (PEP 383) does. {@link argumentBytes} reverses it.
 */
export function rawArguments(argv: readonly string[] = process.argv): string[] {
  const decoded = argv.slice(2);
  if (!decoded.some((argument) => argument.includes('\uFFFD'))) return decoded;
  const raw = kernelArguments().slice(-decoded.length);
  // A process that changed its title has overwritten them.
  const same = raw.length === decoded.length && raw.every((bytes, place) => bytes.toString() === decoded[place]);
  return same ? raw.map(argumentText) : decoded;
}

/** The bytes of an argument as it was given. */
export function argumentBytes(text: string): Buffer {
  if (!loneSurrogate.test(text)) return Buffer.from(text);
  // Iteration is by code point: a surrogate that comes alone is a byte.
  return Buffer.concat(
    Array.from(text, (character) =>
      isEscapedByte(character) ? Buffer.from([character.charCodeAt(0) & 0xff]) : Buffer.from(character),
    ),
  );
}

/** Bytes as an argument's text, of which {@link argumentBytes} gives the bytes again. */
export function argumentText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((count) => at + count <= bytes.length && isUtf8(bytes.subarray(at, at + count)));
    text +=
      length === undefined
        ? String.fromCharCode(0xdc00 | bytes.readUInt8(at))
        : bytes.toString('utf8', at, at + length);
    at += length ?? 1;
  }
  return text;
}

const loneSurrogate = /\p{Surrogate}/u;

function isEscapedByte(character: string): boolean {
  return character.length === 1 && character >= '\uDC80' && character <= '\uDCFF';
}

function kernelArguments(): Buffer[] {
  let all: Buffer;
  try {
    all = readFileSync('/proc/self/cmdline');
  } catch {
    return [];
  }
  const found: Buffer[] = [];
  for (let start = 0, end = all.indexOf(0); end !== -1; start = end + 1, end = all.indexOf(0, start))
    found.push(all.subarray(start, end));
  return found;
}
