/** The Castagnoli polynomial, reflected (docs/FORMAT.md §1). */
const polynomial = 0x82f63b78;

let tables: Int32Array | undefined;
const noWords = new Int32Array();

/**
 * CRC32C of `bytes`, going on from `seed`: the CRC32C of what stands before them, 0 for nothing. Eight bytes a step ("slicing by 8",
 * Kounavis and Berry 2005).
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  tables ??= makeTables();
  const table = tables;
  let crc = ~seed;
  let at = 0;
  const end = bytes.length;
  const aligned = Math.min(end, -bytes.byteOffset & 3);
  while (at < aligned) crc = table[(crc ^ bytes[at++]) & 255] ^ (crc >>> 8);
  const steps = (end - at) >>> 3;
  // A view of words must begin at a multiple of 4, even an empty one.
  const words = steps === 0 ? noWords : new Int32Array(bytes.buffer, bytes.byteOffset + at, steps * 2);
  for (let word = 0; word < words.length; word += 2) {
    const low = words[word] ^ crc;
    const high = words[word + 1];
    crc =
      table[1792 + (low & 255)] ^
      table[1536 + ((low >>> 8) & 255)] ^
      table[1280 + ((low >>> 16) & 255)] ^
      table[1024 + (low >>> 24)] ^
      table[768 + (high & 255)] ^
      table[512 + ((high >>> 8) & 255)] ^
      table[256 + ((high >>> 16) & 255)] ^
      table[high >>> 24];
  }
  at += words.length * 4;
  while (at < end) crc = table[(crc ^ bytes[at++]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Row k of 256 words is the effect of a byte that k more bytes follow. */
function makeTables(): Int32Array {
  const table = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
    table[byte] = crc;
  }
  for (let at = 256; at < table.length; at++) {
    const before = table[at - 256];
    table[at] = table[before & 255] ^ (before >>> 8);
  }
  return table;
}
