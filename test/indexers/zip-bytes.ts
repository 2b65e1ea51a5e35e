import zlib from 'node:zlib';

/** What an entry of a hand-made zip says; what is left out is as an honest writer on Unix would write it. */
export interface HandMadeEntry {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  readonly isStored?: boolean;
  readonly method?: number;
  readonly flags?: number;
  /** Upper byte: the system; 3 is Unix. */
  readonly system?: number;
  /** On Unix the mode. */
  readonly mode?: number;
  readonly attributes?: number;
  readonly extra?: Buffer;
  readonly localExtra?: Buffer;
  readonly localName?: string;
  readonly checksum?: number;
  readonly length?: number;
  /** Behind what is compressed, and counted. */
  readonly junk?: Buffer;
  /** Begins where the first entry does. */
  readonly isShared?: boolean;
}

export function extraField(id: number, data: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(data.length, 2);
  return Buffer.concat([head, data]);
}

/** A zip of the entries; `counted` is how many its end says there are. */
export function makeZip(entries: readonly HandMadeEntry[], counted = entries.length): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const content = Buffer.from(entry.content ?? '');
    const isStored = entry.isStored ?? content.length === 0;
    const stored = Buffer.concat([isStored ? content : zlib.deflateRawSync(content), entry.junk ?? Buffer.alloc(0)]);
    const fields = Buffer.alloc(20);
    fields.writeUInt16LE(entry.flags ?? 0, 0);
    fields.writeUInt16LE(entry.method ?? (isStored ? 0 : 8), 2);
    fields.writeUInt32LE(((2024 - 1980) << 25) | (2 << 21) | (29 << 16) | (12 << 11), 4);
    fields.writeUInt32LE(entry.checksum ?? zlib.crc32(content), 8);
    fields.writeUInt32LE(stored.length, 12);
    fields.writeUInt32LE(entry.length ?? content.length, 16);
    const withLengths = (named: Buffer, extra: Buffer) =>
      Buffer.concat([fields, number16(named.length), number16(extra.length)]);
    const localName = Buffer.from(entry.localName ?? name);
    const localExtra = entry.localExtra ?? Buffer.alloc(0);
    const local = [
      Buffer.from('PK\x03\x04\x14\0', 'latin1'),
      withLengths(localName, localExtra),
      localName,
      localExtra,
    ];
    const extra = entry.extra ?? Buffer.alloc(0);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(entry.attributes ?? ((entry.mode ?? 0o100644) << 16) >>> 0, 6);
    rest.writeUInt32LE(entry.isShared === true ? 0 : offset, 10);
    const made = Buffer.from([20, entry.system ?? 3, 20, 0]);
    directory.push(Buffer.from('PK\x01\x02', 'latin1'), made, withLengths(name, extra), rest, name, extra);
    const whole = Buffer.concat([...local, stored]);
    parts.push(whole);
    offset += whole.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(counted, 8);
  end.writeUInt16LE(counted, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

function number16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
