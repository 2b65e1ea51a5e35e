import { isUtf8 } from 'node:buffer';

/**
 * Bytes in a JSON document: under `key` as text, and if they are no UTF-8 also under `keyBytes` in base64, which is then the one to trust.
 */
export function byteFields(key: string, bytes: Buffer): Record<string, string> {
  return isUtf8(bytes)
    ? { [key]: bytes.toString() }
    : { [key]: bytes.toString(), [`${key}Bytes`]: bytes.toString('base64') };
}
