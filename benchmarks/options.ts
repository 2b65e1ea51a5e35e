import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Scenario } from './scenario.ts';
import type { ScenarioGroup } from './scenarios/all.ts';
import { fullSizes, quickSizes, type Sizes } from './sizes.ts';

export interface Options extends Sizes {
  readonly scenarios: readonly Scenario[];
  /** Where data sets are kept and archives are made. */
  readonly work: string;
  readonly writeDocs: boolean;
}

/** `--scenario` takes names of scenarios and of groups. Without it all run but those of groups that are run on request, which `--full` and `--quick` add. */
export function parseOptions(args: readonly string[], groups: readonly ScenarioGroup[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      scenario: { type: 'string' },
      files: { type: 'string' },
      trials: { type: 'string' },
      work: { type: 'string', default: join(tmpdir(), 'shoal-benchmarks') },
      'write-docs': { type: 'boolean', default: false },
    },
  });
  const sizes = values.quick ? quickSizes : fullSizes;
  const usual = groups.filter(({ onRequest }) => values.quick || values.full || !onRequest);
  return {
    ...sizes,
    files: count(values.files, sizes.files),
    trials: count(values.trials, sizes.trials),
    scenarios: values.scenario === undefined ? scenariosOf(usual) : named(values.scenario.split(','), groups),
    work: values.work,
    writeDocs: values['write-docs'],
  };
}

function named(names: readonly string[], groups: readonly ScenarioGroup[]): Scenario[] {
  const all = scenariosOf(groups);
  const known = [...groups, ...all].map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`no scenario ${unknown.join(', ')}; there are ${known.join(', ')}`);
  const ofGroups = scenariosOf(groups.filter(({ name }) => names.includes(name)));
  return all.filter((scenario) => names.includes(scenario.name) || ofGroups.includes(scenario));
}

function scenariosOf(groups: readonly ScenarioGroup[]): Scenario[] {
  return groups.flatMap(({ scenarios }) => scenarios);
}

function count(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`expected a whole number above 0, found ${text}`);
  return Number(text);
}
