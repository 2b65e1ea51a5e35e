import { type Budget, budgets } from './budgets.ts';
import { median, type Result } from './result.ts';
import { scenarioGroups } from './scenarios/all.ts';

/** A table for each group of scenarios that was run, under its title. */
export function groupTables(results: readonly Result[]): string {
  const tables = scenarioGroups.flatMap(({ title, scenarios }) => {
    const own = results.filter(({ scenario }) => scenarios.some(({ name }) => name === scenario));
    return own.length === 0 ? [] : [`### ${title}\n\n${resultTable(own)}`];
  });
  return tables.join('\n\n');
}

/** The results as rows of a Markdown table, padded so that it also reads as text. */
export function resultTable(results: readonly Result[]): string {
  const rows = [
    ['what', 'contender', 'median', 'min–max', 'Shoal against it', 'budget'],
    ...results.map((result, index) => [
      result.scenario === results[index - 1]?.scenario ? '' : `${result.title} (${result.unit})`,
      result.contender,
      ...figures(result),
      ...comparison(result, results),
    ]),
  ];
  const widths = (rows[0] as string[]).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] as string).length)),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] as number)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(rows[0] as string[]), rule, ...rows.slice(1).map(line)].join('\n');
}

function figures({ trials, failure }: Result): string[] {
  if (failure !== undefined) return [failure, ''];
  return [shown(median(trials)), `${shown(Math.min(...trials))}–${shown(Math.max(...trials))}`];
}

/** How Shoal compares with a contender, and whether that is what the design asks for. */
function comparison(result: Result, results: readonly Result[]): string[] {
  const own = results.find(({ scenario, contender }) => scenario === result.scenario && contender === 'Shoal');
  if (own === undefined || own.failure !== undefined || result.failure !== undefined) return ['', ''];
  const isOwn = own === result;
  const [ours, theirs] = [median(own.trials), median(result.trials)];
  const ratio = result.better === 'higher' ? ours / theirs : theirs / ours;
  const budget = budgets.find(
    ({ scenario, than }) => scenario === result.scenario && than === (isOwn ? undefined : result.contender),
  );
  return [isOwn ? '' : `${ratio.toFixed(2)} ×`, budget === undefined ? '' : verdict(budget, ours, theirs, ratio)];
}

function verdict({ than, atLeast, atMost }: Budget, ours: number, theirs: number, ratio: number): string {
  if (atLeast !== undefined) {
    const isMet = (than === undefined ? ours : ratio) >= atLeast;
    return `≥ ${shown(atLeast)}${than === undefined ? '' : ' ×'}: ${isMet ? 'met' : 'NOT MET'}`;
  }
  const limit = atMost ?? Number.POSITIVE_INFINITY;
  const figure = than === undefined ? ours : ours - theirs;
  return `${than === undefined ? '≤ ' : '≤ +'}${shown(limit)}: ${figure <= limit ? 'met' : 'NOT MET'}`;
}

/** Three figures that matter, thousands apart. */
function shown(value: number): string {
  if (value < 100) return String(Number(value.toPrecision(3)));
  const digits = Math.floor(Math.log10(value)) - 2;
  return String(Math.round(value / 10 ** digits) * 10 ** digits).replace(/\B(?=(\d{3})+$)/g, ' ');
}
