/** MurmurHash3_x86_32 (Austin Appleby, public domain) of `length` bytes at `start`. */
export function murmur3(bytes: Uint8Array, start: number, length: number, seed: number): number {
  let hash = seed | 0;
  let at = start;
  for (const end = start + (length & ~3); at < end; at += 4) {
    const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    hash ^= scramble(word);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let left = length & 3; left > 0; left--) tail = (tail << 8) | bytes[at + left - 1];
  hash ^= scramble(tail) ^ length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(word: number): number {
  const product = Math.imul(word, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}
