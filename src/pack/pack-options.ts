import type { Metadata } from '../format/metadata.ts';
import type { JobOptions } from '../native/run-job.ts';
import { type Layout, layoutOf } from './layout.ts';
import { type Selection, walkOptions } from './selection.ts';
import type { TreePart } from './tree-part.ts';

/** How trees are packed. */
export interface PackOptions extends JobOptions, Selection, Layout {
  /** Replaces an image that exists. */
  readonly force?: boolean | undefined;
  /** Threads. Default: one for each processor, and more as long as they mostly wait for storage. */
  readonly jobs?: number | undefined;
  /**
   * Packs this share of the trees only: all directories, and of the rest what the hash of its path says. The images of all parts, merged, hold the
   * trees as one image would.
   */
  readonly part?: TreePart | undefined;
  /** Free keys and values to store in the image. */
  readonly metadata?: Metadata | undefined;
  /** Stores source, host, time and command; the image then differs from run to run. */
  readonly provenance?: boolean | undefined;
  /** Removes from the sources what was read back from the published image and compared. */
  readonly removeSource?: boolean | undefined;
  /**
   * Packs, compares and removes slice by slice, so that at no time more than so many bytes are taken beyond what the sources took. Makes a volume for each
   * slice. Needs `removeSource`.
   */
  readonly maxExtra?: number | undefined;
  /** Goes on where a run that was stopped got to. Where the image is there already, that is removing its sources, or nothing. */
  readonly resume?: boolean | undefined;
  /** Seconds after which what was written is made durable each time, so that `resume` can go on from there. Default: 10. */
  readonly checkpoint?: number | undefined;
}

/** Those that decide what an image holds and where it lies. */
export function optionsThatMatter(options: PackOptions): object {
  return { ...walkOptions([], 0, options), ...layoutOf(options), part: options.part, maxExtra: options.maxExtra };
}
