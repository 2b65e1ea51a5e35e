import { type EntryProblem, entryProblems } from '../image/entry-problem.ts';
import type { PlanResult, WalkedCatalogue } from '../native/packing.ts';
import type { BuiltIndex } from './build-index.ts';
import type { RemovedSources } from './source-removal.ts';

export interface PackSummary {
  /** Path of the index. */
  readonly image: Buffer;
  readonly entries: number;
  /** Bytes of files' content, holes included; a file with several names counts once. */
  readonly bytes: number;
  /** The volumes beside the index, with their lengths, in their order. */
  readonly volumes: readonly { readonly name: Buffer; readonly length: number }[];
  /** Of all volumes together. */
  readonly volumeLength: number;
  /** Bytes of files that are not stored, because another one has the same content. */
  readonly dedupedBytes: number;
  readonly indexLength: number;
  /** 32 hexadecimal digits; equal for equal trees. */
  readonly id: string;
  /** Inodes that removing what was packed would free. */
  readonly inodes: number;
  /** Names left out by `exclude`, whatever is below them not counted. */
  readonly excluded: number;
  /** Left out on purpose: sockets, which no image holds, and what mount points show with `oneFileSystem`; paths as the sources name them. */
  readonly skipped: readonly EntryProblem[];
  /** Mount points whose contents were packed, too. */
  readonly notices: readonly EntryProblem[];
  /** With `skipUnreadable`: what could not be read, vanished or changed, and is not in the image; and directories that changed, which are as they were. */
  readonly unreadable: readonly EntryProblem[];
  /** Entries, by their path in the image, that are longer than a volume was to be: each is alone in one that is. */
  readonly oversized: readonly EntryProblem[];
  /** Paths in `order` that no file of the image has: the first ones, and how many there are. */
  readonly strays: { readonly first: readonly Buffer[]; readonly count: number };
  /** With `removeSource`. */
  readonly removed?: RemovedSources;
}

/** What a summary says of the image itself, which lies at `image`. */
export function imageSummary(image: Buffer, packed: WalkedCatalogue, plan: PlanResult, index: BuiltIndex) {
  return {
    image,
    entries: packed.entries,
    bytes: packed.bytes,
    inodes: packed.survey.inodes,
    volumes: index.volumes,
    volumeLength: index.volumes.reduce((sum, { length }) => sum + length, 0),
    dedupedBytes: plan.copiedBytes,
    indexLength: index.length,
    id: index.id.toString('hex'),
    oversized: entryProblems(plan.oversized),
    strays: { first: plan.strays, count: plan.strayCount },
  };
}
