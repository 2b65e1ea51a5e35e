import type { ByteSource } from '../../io/byte-source.ts';

const headLength = 1024;
const typeOffset = 156;
const recordsOffset = 512;

/** Whether a tar begins as the volumes that Shoal writes (docs/FORMAT.md §6.1). */
export function isShoalVolume(source: ByteSource): boolean {
  const head = Buffer.alloc(Math.min(headLength, source.length));
  source.read(0, head);
  const isGlobal = head[typeOffset] === 'g'.charCodeAt(0);
  return isGlobal && /^\d+ comment=shoal volume /.test(head.toString('latin1', recordsOffset));
}
