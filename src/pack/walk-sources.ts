import { loadAddon } from '../native/load.ts';
import type { WalkResult } from '../native/packing.ts';
import { runJob } from '../native/run-job.ts';
import type { PackOptions } from './pack-options.ts';
import { walkOptions } from './selection.ts';
import { keepPart } from './tree-part.ts';

/** Walks the trees, and leaves what is of the part that is packed. `more` is as in {@link walkOptions}. */
export async function walkSources(
  trees: readonly Buffer[],
  jobs: number,
  options: PackOptions,
  more: Parameters<typeof walkOptions>[3] = {},
): Promise<WalkResult> {
  const request = walkOptions(trees, jobs, options, more);
  const whole = await runJob((counters) => loadAddon().walk(request, counters), options);
  return { ...whole, ...(options.part && (await keepPart(whole.catalogue, options.part))) };
}
