import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crc32c } from '../../src/format/crc32c.ts';
import { murmur3 } from '../../src/format/murmur3.ts';
import { nativeAddon } from '../support/native.ts';

// RFC 3720, appendix B.4.
it.each([
  [Buffer.alloc(0), 0],
  [Buffer.from('123456789'), 0xe3069283],
  [Buffer.alloc(32), 0x8a9136aa],
  [Buffer.alloc(32, 0xff), 0x62a8ab43],
  [Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
])('computes the published CRC32C of %j', (bytes, checksum) => {
  expect(crc32c(bytes)).toBe(checksum);
});

it('computes a CRC32C in parts, wherever the bytes begin in memory', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
      expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(crc32c(bytes));
    }),
  );
});

it('computes the CRC32C that the native core computes', (ctx) => {
  const addon = nativeAddon(ctx);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.nat(0xffffffff), (bytes, seed) => {
      expect(crc32c(bytes, seed)).toBe(addon.crc32c(bytes, seed));
    }),
  );
});

// From the reference implementation's users: https://en.wikipedia.org/wiki/MurmurHash#Algorithm and its test vectors.
it.each([
  ['', 0, 0],
  ['', 1, 0x514e28b7],
  ['', 0xffffffff, 0x81f16f39],
  ['\0\0\0\0', 0, 0x2362f9de],
  ['test', 0, 0xba6bd213],
  ['test', 0x9747b28c, 0x704b81dc],
  ['Hello, world!', 0, 0xc0363e43],
  ['Hello, world!', 0x9747b28c, 0x24884cba],
  ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
  ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
])('computes the published MurmurHash3 of %j with seed %d', (text, seed, hash) => {
  const bytes = Buffer.from(`xx${text}yy`);
  expect(murmur3(bytes, 2, bytes.length - 4, seed)).toBe(hash);
});
