import type { ByteSource } from '../../io/byte-source.ts';

const headLength = 1024;
const typeOffset = 156;
const recordsOffset = 512;

/** How the first frame of a compressed volume begins, and where its first raw block does (docs/FORMAT.md §6.4, RFC 8878). */
const storedFrame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0]);
const storedOffset = 12;

/** Whether a tar, compressed or not, begins as the volumes that Shoal writes (docs/FORMAT.md §6.1). */
export function isShoalVolume(source: ByteSource): boolean {
  const bytes = Buffer.alloc(Math.min(storedOffset + headLength, source.length));
  source.read(0, bytes);
  const isStored = bytes.subarray(0, storedFrame.length).equals(storedFrame);
  const head = bytes.subarray(isStored ? storedOffset : 0);
  const isGlobal = head[typeOffset] === 'g'.charCodeAt(0);
  return isGlobal && /^\d+ comment=shoal volume /.test(head.toString('latin1', recordsOffset, headLength));
}
