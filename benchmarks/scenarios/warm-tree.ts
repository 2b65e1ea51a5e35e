import { readClient } from '../clients.ts';
import type { Trial } from '../scenario.ts';

/** Brings names, attributes and content of the tree that is packed into the kernel's caches. */
export function warmTree({ packed, dataSet }: Trial): void {
  readClient('find', packed.source);
  readClient('read', packed.source, dataSet.paths, '1', String(dataSet.files), '1');
}
