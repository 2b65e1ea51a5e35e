import type { Contender, Packed } from './contender.ts';
import type { DataSet } from './data-set.ts';
import type { Sizes } from './sizes.ts';

export type Unit = 'files/s' | 'entries/s' | 'MB/s' | 's' | 'ms' | 'MiB' | 'MB' | 'bytes/entry';

/** Where data sets are made. */
export interface Places {
  /** Kept for later runs. */
  readonly work: string;
  /** Removed at the end of the run. */
  readonly run: string;
}

/** What one trial may use. */
export interface Trial {
  readonly contender: Contender;
  readonly dataSet: DataSet;
  /** The data set and its archive by this contender: already packed, or to be packed where the scenario is one of packing. */
  readonly packed: Packed;
  /** An empty directory of this trial, removed afterwards. */
  readonly scratch: string;
  /** Differs from trial to trial and is the same for all contenders. */
  readonly seed: number;
  /** Random operations of one trial. */
  readonly operations: number;
  /** A tar of the data set by GNU tar, made at the first call. */
  tar(): string;
}

export interface Scenario {
  /** As `--scenario` takes it. */
  readonly name: string;
  readonly title: string;
  readonly conditions: string;
  readonly unit: Unit;
  readonly better: 'higher' | 'lower';
  /** Who can do this, in the order of the table's rows. */
  readonly contenders: readonly Contender[];
  /** The trial packs. */
  readonly packs?: boolean;
  /** Trials at most, where one takes long. */
  readonly trials?: number;
  /**
   * What a trial makes stays until the end of the run. ext4 leaves inodes alone for some time after their removal (recently_deleted in
   * fs/ext4/ialloc.c of Linux), so making a tree after another was removed would time the search for others, of whoever comes next.
   */
  readonly keepsScratch?: boolean;
  /** Why it can not run here; undefined where it can. */
  unavailable(sizes: Sizes, places: Places): string | undefined;
  /** What is packed. Where contenders differ in it, that is what is compared. */
  data(sizes: Sizes, places: Places, contender: Contender): DataSet;
  /** One trial, in fresh processes; a figure in `unit`. */
  run(trial: Trial): number;
}
