import type { MachineFacts } from './machine.ts';
import type { Scenario } from './scenario.ts';

/** A row of the table and a line of the JSON file. */
export interface Result {
  readonly scenario: string;
  readonly title: string;
  readonly conditions: string;
  readonly dataSet: string;
  readonly contender: string;
  readonly unit: Scenario['unit'];
  readonly better: Scenario['better'];
  readonly trials: readonly number[];
  /** Why it has no figure. */
  readonly failure?: string;
}

/** What a table and a file of results say about themselves. */
export interface RunFacts {
  readonly date: string;
  readonly command: string;
  readonly dentriesDropped: boolean;
  readonly machine: MachineFacts;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
