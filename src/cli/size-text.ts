import { formatSize } from '../base/sizes.ts';

/** A size in a sentence: `1 byte`, `512 bytes`, `64K`. */
export function sizeText(bytes: number): string {
  if (bytes === 1) return '1 byte';
  return bytes < 1024 ? `${Math.round(bytes)} bytes` : formatSize(bytes);
}
