import type { Scenario } from '../scenario.ts';
import { compressedScenarios } from './compressed.ts';
import { mountedScenarios } from './mounted.ts';
import { manyFilesScenarios, packingScenarios } from './packing.ts';
import { hugeScenarios, scaleScenarios } from './scale.ts';
import { slowScenarios } from './slow.ts';
import { techniqueScenarios } from './techniques.ts';
import { wholeScenarios } from './whole.ts';

/** Scenarios that stand in one table. */
export interface ScenarioGroup {
  /** As `--scenario` takes it. */
  readonly name: string;
  readonly title: string;
  readonly scenarios: readonly Scenario[];
  /** Takes minutes and gigabytes. */
  readonly onRequest?: boolean;
}

export const scenarioGroups: readonly ScenarioGroup[] = [
  { name: 'packing', title: 'Packing', scenarios: packingScenarios },
  { name: 'many', title: 'Packing a million files, and ten', scenarios: manyFilesScenarios, onRequest: true },
  { name: 'compressed', title: 'Compressed images', scenarios: compressedScenarios },
  { name: 'whole', title: 'Whole trees and archives', scenarios: wholeScenarios },
  { name: 'slow', title: 'From a model of slow storage', scenarios: slowScenarios },
  { name: 'mounted', title: 'Through a mount', scenarios: mountedScenarios },
  { name: 'techniques', title: 'What each technique of the mount is worth', scenarios: techniqueScenarios },
  { name: 'scale', title: 'Large directories, many readers', scenarios: scaleScenarios },
  { name: 'huge', title: 'Ten million files', scenarios: hugeScenarios, onRequest: true },
];
