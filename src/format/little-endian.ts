import { ShoalError } from '../base/errors.ts';

const twoTo32 = 2 ** 32;

// Sections are encoded and decoded through typed arrays, which have the machine's byte order; Shoal runs on x86-64 and arm64.
if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1)
  throw new ShoalError('unsupported', 'expected a little-endian machine, found a big-endian one');

/** A view for reading and writing the fields of `bytes`; offsets count from its first byte. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The bytes of a typed array, shared. */
export function bytesOf(array: Uint32Array | Float64Array | BigUint64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A u64 as a number; not exact beyond 2^53, so whoever uses it holds it against a bound below that. */
export function getU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * twoTo32 + view.getUint32(at, true);
}

/** Writes a whole number from -2^53 to 2^53 as 64 bits, two's complement. */
export function set64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setInt32(at + 4, Math.floor(value / twoTo32), true);
}

/** An i64 as a number; not exact beyond ±2^53. */
export function getI64(view: DataView, at: number): number {
  return view.getInt32(at + 4, true) * twoTo32 + view.getUint32(at, true);
}
