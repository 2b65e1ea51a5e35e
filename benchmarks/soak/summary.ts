import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MachineFacts } from '../machine.ts';
import type { Check, SoakFacts } from './judge.ts';

/** What is kept of a soak: all but its samples. */
export interface SoakSummary extends Omit<SoakFacts, 'samples'> {
  readonly date: string;
  readonly command: string;
  readonly minutes: number;
  readonly machine: MachineFacts;
  readonly checks: readonly Check[];
}

const results = fileURLToPath(new URL('../results', import.meta.url));

/** Returns the path of the file. */
export function keepSummary(summary: SoakSummary): string {
  mkdirSync(results, { recursive: true });
  const file = join(results, `soak-${summary.date.replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify(summary, undefined, 2)}\n`);
  return file;
}

/** Of the last soak on this machine; undefined where there was none. */
export function lastSummary(): SoakSummary | undefined {
  const name = readdirSync(results)
    .filter((each) => each.startsWith('soak-'))
    .sort()
    .at(-1);
  return name === undefined ? undefined : JSON.parse(readFileSync(join(results, name), 'utf8'));
}

export function summaryLines({ checks }: Pick<SoakSummary, 'checks'>): string[] {
  return checks.map(({ what, found, holds }) => `${what}: ${found}: ${holds ? 'met' : 'NOT MET'}`);
}
