/** How far long work is. Totals are absent while unknown. */
export interface Progress {
  readonly entriesDone: number;
  readonly bytesDone: number;
  readonly entriesTotal?: number;
  readonly bytesTotal?: number;
}

export type OnProgress = (progress: Progress) => void;
