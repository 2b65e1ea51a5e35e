// npm run bench: every scenario, with every contender that can run here. The table goes to stdout, what happens meanwhile to stderr.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildClients } from './clients.ts';
import type { Contender } from './contender.ts';
import { contenders } from './contenders/all.ts';
import { gnuTar } from './contenders/tar.ts';
import type { DataSet } from './data-set.ts';
import { machineFacts } from './machine.ts';
import { type Options, parseOptions } from './options.ts';
import { benchmarksPage } from './page.ts';
import { dropDentries } from './page-cache.ts';
import type { Result, RunFacts } from './result.ts';
import { runCommand } from './run-command.ts';
import { makeRunDirectory } from './run-directory.ts';
import type { Scenario } from './scenario.ts';
import { scenarioGroups } from './scenarios/all.ts';
import { lastSummary } from './soak/summary.ts';
import { groupTables } from './table.ts';

const options = parseOptions(process.argv.slice(2), scenarioGroups);
const project = fileURLToPath(new URL('..', import.meta.url));
buildClients();
const run = makeRunDirectory(options.work);
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
  });
}
try {
  const facts: RunFacts = {
    date: new Date().toISOString(),
    command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    dentriesDropped: dropDentries(),
    machine: machineFacts(options.work),
  };
  const results: Result[] = [];
  for (const scenario of options.scenarios) results.push(...(await runScenario(scenario, options)));
  keep(facts, results);
  console.log(groupTables(results));
  if (results.some(({ contender, failure }) => contender === 'Shoal' && failure !== undefined)) process.exitCode = 1;
} finally {
  rmSync(run, { recursive: true, force: true });
}

/** All trials of a scenario. Contenders take turns, so that a slow minute of the machine is not one contender's. */
async function runScenario(scenario: Scenario, options: Options): Promise<Result[]> {
  const places = { work: options.work, run };
  const obstacle = scenario.unavailable(options, places);
  if (obstacle !== undefined) {
    tell(`${scenario.name}: left out, ${obstacle}`);
    return [];
  }
  const figures = new Map<Contender, number[]>();
  const failures = new Map<Contender, string>();
  for (const contender of scenario.contenders) {
    const reason = contender.unavailable();
    if (reason === undefined) figures.set(contender, []);
    else tell(`${scenario.name}: ${contender.name} left out, ${reason}`);
  }
  const dataSets = new Map([...figures.keys()].map((each) => [each, scenario.data(options, places, each)]));
  const trials = Math.min(options.trials, scenario.trials ?? options.trials);
  for (let trial = 1; trial <= trials; trial++) {
    for (const [contender, values] of figures) {
      if (failures.has(contender)) continue;
      await setImmediate(); // signals come in here
      if (interrupted) throw new Error('interrupted');
      const scratch = mkdtempSync(join(run, 'trial-'));
      try {
        const dataSet = dataSets.get(contender) as DataSet;
        const archive = scenario.packs ? join(scratch, `packed.${contender.kind}`) : archiveOf(contender, dataSet);
        const packed = { source: dataSet.source, archive };
        const tar = () => archiveOf(gnuTar, dataSet);
        const { operations } = options;
        values.push(scenario.run({ contender, dataSet, packed, scratch, seed: trial, operations, tar }));
        tell(`${scenario.name}: ${contender.name}, trial ${trial}: ${values.at(-1)} ${scenario.unit}`);
      } catch (error) {
        failures.set(contender, `failed: ${error instanceof Error ? error.message : String(error)}`);
        tell(`${scenario.name}: ${contender.name} ${failures.get(contender)}`);
      } finally {
        if (!scenario.keepsScratch) rmSync(scratch, { recursive: true, force: true });
      }
    }
  }
  const { name, title, conditions, unit, better } = scenario;
  return [...figures].map(([contender, values]) => ({
    ...{
      scenario: name,
      title,
      conditions,
      dataSet: (dataSets.get(contender) as DataSet).name,
      contender: contender.name,
      unit,
      better,
      trials: values,
    },
    ...(failures.has(contender) ? { failure: failures.get(contender) as string } : {}),
  }));
}

/** The archive of a data set by the contenders of a kind, packed anew in each run: what is measured is the code as it is now. */
function archiveOf(contender: Contender, dataSet: DataSet): string {
  const { kind } = contender;
  // A directory for each kind: an image's volume is a tar, too.
  const archive = join(run, kind, `${dataSet.id}.${kind}`);
  if (kind === 'none' || existsSync(archive)) return archive;
  const packer = [contender, ...contenders].find((each) => each.kind === kind && each.pack !== undefined);
  if (packer?.pack === undefined) throw new Error(`nothing packs ${kind}`);
  tell(`packing ${dataSet.name} with ${packer.name}`);
  mkdirSync(join(run, kind), { recursive: true });
  runCommand(packer.pack({ source: dataSet.source, archive }));
  return archive;
}

function keep(facts: RunFacts, results: readonly Result[]): void {
  const directory = join(project, 'benchmarks', 'results');
  mkdirSync(directory, { recursive: true });
  const lines = [facts, ...results].map((line) => `${JSON.stringify(line)}\n`);
  writeFileSync(join(directory, `${facts.date.replaceAll(':', '-')}.json`), lines.join(''));
  if (options.writeDocs)
    writeFileSync(join(project, 'docs', 'BENCHMARKS.md'), benchmarksPage(facts, results, lastSummary()));
}

function tell(line: string): void {
  console.error(line);
}
