import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Scenario } from './scenario.ts';

export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly files: number;
  /** Bytes of the large file. */
  readonly large: number;
  readonly trials: number;
  readonly operations: number;
  /** Where data sets are kept and archives are made. */
  readonly work: string;
  readonly writeDocs: boolean;
}

/** Sizes of the design; --quick's are enough to see that everything runs. */
const FULL = { files: 100_000, large: 1536 * 2 ** 20, trials: 5, operations: 20_000 };
const QUICK = { files: 5_000, large: 64 * 2 ** 20, trials: 3, operations: 2_000 };

export function parseOptions(args: readonly string[], all: readonly Scenario[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      scenario: { type: 'string' },
      files: { type: 'string' },
      trials: { type: 'string' },
      work: { type: 'string', default: join(tmpdir(), 'shoal-benchmarks') },
      'write-docs': { type: 'boolean', default: false },
    },
  });
  const sizes = values.quick ? QUICK : FULL;
  const names = values.scenario?.split(',') ?? all.map(({ name }) => name);
  const unknown = names.filter((name) => !all.some((scenario) => scenario.name === name));
  if (unknown.length > 0)
    throw new Error(`no scenario ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`);
  return {
    ...sizes,
    files: count(values.files, sizes.files),
    trials: count(values.trials, sizes.trials),
    scenarios: all.filter(({ name }) => names.includes(name)),
    work: values.work,
    writeDocs: values['write-docs'],
  };
}

function count(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`expected a whole number above 0, found ${text}`);
  return Number(text);
}
