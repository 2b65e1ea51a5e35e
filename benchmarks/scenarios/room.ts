import { statfsSync } from 'node:fs';

/** Why so many bytes are not to be written in a directory: as much again is left to others. */
export function noRoom(directory: string, bytes: number): string | undefined {
  const { bavail, bsize } = statfsSync(directory);
  const [needed, free] = [2 * bytes, bavail * bsize].map((each) => Math.round(each / 1e9));
  return bavail * bsize > 2 * bytes ? undefined : `it needs ${needed} GB, and there are ${free}`;
}
