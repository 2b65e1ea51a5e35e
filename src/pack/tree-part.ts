import { ShoalError } from '../base/errors.ts';
import type { NativeCatalogue } from '../native/catalogue.ts';
import { loadAddon } from '../native/load.ts';
import type { WalkedCatalogue } from '../native/packing.ts';
import { runJob } from '../native/run-job.ts';

/** One of so many shares of a tree. */
export interface TreePart {
  /** From 1 to `count`. */
  readonly number: number;
  readonly count: number;
}

/** Each part's image may be one of those that are merged at once. */
const maxParts = 1024;

export function checkPart({ number, count }: TreePart): void {
  const isNumber = Number.isInteger(number) && number >= 1 && number <= count;
  if (isNumber && Number.isInteger(count) && count <= maxParts) return;
  throw new ShoalError('usage', `expected part 1 to N of N, at most ${maxParts}, found part ${number} of ${count}`);
}

/** Leaves a walked catalogue its directories and what else is of the part. */
export async function keepPart(catalogue: NativeCatalogue, { number, count }: TreePart): Promise<WalkedCatalogue> {
  return await runJob(() => loadAddon().keepPart(catalogue, number - 1, count));
}
