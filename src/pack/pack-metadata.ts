import { hostname } from 'node:os';
import { basename } from 'node:path';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { version } from '../base/version.ts';
import type { Metadata } from '../format/metadata.ts';

const reserved = 'shoal.';

/** Whether a key is one of those that Shoal itself writes. */
export function isReservedKey(key: string): boolean {
  return key.startsWith(reserved);
}

/** The free metadata of an image, docs/FORMAT.md §4.12. Throws `usage` for keys that are Shoal's own. */
export function packMetadata(metadata: Metadata, sources: readonly Buffer[], provenance: boolean): Metadata {
  for (const key of Object.keys(metadata)) {
    if (key.length === 0 || isReservedKey(key)) {
      throw new ShoalError('usage', `expected a metadata key that does not begin with "${reserved}", found "${key}"`);
    }
  }
  return {
    ...metadata,
    'shoal.version': version,
    ...(provenance && {
      'shoal.source': sources.map(showBytes).join('\n'),
      'shoal.host': hostname(),
      'shoal.time': new Date().toISOString(),
      'shoal.command': [basename(process.argv[1] ?? ''), ...process.argv.slice(2)].join(' '),
    }),
  };
}
