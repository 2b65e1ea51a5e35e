import type { Contender, Packed } from './contender.ts';
import type { DataSet } from './data-set.ts';

export type Unit = 'files/s' | 'entries/s' | 'MB/s' | 's' | 'ms' | 'MiB' | 'bytes/entry';

/** What one trial may use. */
export interface Trial {
  readonly contender: Contender;
  readonly dataSet: DataSet;
  /** The data set and its archive by this contender, already packed. */
  readonly packed: Packed;
  /** A tar of the data set by GNU tar. */
  readonly tar: string;
  /** An empty directory of this trial, removed afterwards. */
  readonly scratch: string;
  /** Differs from trial to trial and is the same for all contenders. */
  readonly seed: number;
  /** Random operations of one trial. */
  readonly operations: number;
}

export interface Scenario {
  /** As `--scenario` takes it. */
  readonly name: string;
  readonly title: string;
  readonly conditions: string;
  readonly unit: Unit;
  readonly better: 'higher' | 'lower';
  readonly data: 'small' | 'large';
  /** Why it can not run here; undefined where it can. */
  unavailable(): string | undefined;
  /** Whether the contender can do this. */
  suits(contender: Contender): boolean;
  /** One trial, in fresh processes; a figure in `unit`. */
  /**
   * What a trial makes stays until the end of the run. ext4 leaves inodes alone for some time after their removal (recently_deleted in
   * fs/ext4/ialloc.c of Linux), so making a tree after another was removed would time the search for others, of whoever comes next.
   */
  readonly keepsScratch?: boolean;
  run(trial: Trial): number;
}
