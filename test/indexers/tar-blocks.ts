/** Tars made by hand, for what no program writes. */

export interface HeaderFields {
  readonly name: string;
  readonly type?: string;
  readonly size?: number | Buffer;
  readonly mode?: string;
  readonly uid?: string;
  readonly mtime?: string | Buffer;
  readonly linkName?: string;
  /** `ustar\0` + `00` if not given. */
  readonly magic?: string;
  readonly prefix?: string;
  /** Bytes at offsets, laid over everything else. */
  readonly patches?: Readonly<Record<number, Buffer>>;
}

export function header(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(512);
  const put = (offset: number, value: string | Buffer) =>
    Buffer.from(typeof value === 'string' ? Buffer.from(value, 'latin1') : value).copy(block, offset);
  put(0, fields.name);
  put(100, fields.mode ?? '0000644');
  put(108, fields.uid ?? '0000000');
  put(116, '0000000');
  put(124, typeof fields.size === 'object' ? fields.size : octal(fields.size ?? 0, 11));
  put(136, fields.mtime ?? octal(1_000_000_000, 11));
  put(156, fields.type ?? '0');
  put(157, fields.linkName ?? '');
  put(257, fields.magic ?? 'ustar\x0000');
  put(345, fields.prefix ?? '');
  for (const [offset, bytes] of Object.entries(fields.patches ?? {})) put(Number(offset), bytes);
  return withChecksum(block);
}

export function withChecksum(block: Buffer): Buffer {
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return block;
}

export function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** A number in base 256, as GNU tar writes what octal cannot hold. */
export function base256(value: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let rest = BigInt.asUintN(length * 8 - 1, value);
  for (let at = length - 1; at >= 0; at--, rest >>= 8n) bytes[at] = Number(rest & 255n);
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes;
}

/** `data` and zeros up to a whole number of blocks. */
export function padded(data: Buffer | string): Buffer {
  const bytes = Buffer.from(data);
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 511)]);
}

export function file(name: string, content: string | Buffer, fields: Partial<HeaderFields> = {}): Buffer {
  return Buffer.concat([header({ name, size: Buffer.byteLength(content), ...fields }), padded(content)]);
}

/** An extended header with these records as they are. */
export function paxText(records: string | Buffer, type = 'x'): Buffer {
  return file('PaxHeaders/x', records, { type });
}

export function pax(records: Readonly<Record<string, string>>, type = 'x'): Buffer {
  return paxText(
    Object.entries(records)
      .map(([key, value]) => paxRecord(key, value))
      .join(''),
    type,
  );
}

export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + 1;
  while (String(length).length + bytes !== length) length = String(length).length + bytes;
  return `${length}${rest}`;
}

export const end = Buffer.alloc(1024);
