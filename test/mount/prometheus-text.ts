/** A sample of Prometheus' text format. */
export interface PrometheusSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface PrometheusFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly PrometheusSample[];
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*",?)*)\} (\S+)$/;
const labelPart = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;
const valueText = /^(?:[+-]?Inf|NaN|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

/**
 * Reads version 0.0.4 of the format, and throws at the first line that a strict reader could refuse: each family once, with HELP and TYPE before its
 * samples, no sample twice, histograms complete and cumulative, counters not negative and named `_total`.
 */
export function parsePrometheus(text: string): Map<string, PrometheusFamily> {
  if (!text.endsWith('\n')) throw new Error('expected a line feed at the end');
  const families = new Map<string, PrometheusFamily & { samples: PrometheusSample[] }>();
  const seen = new Set<string>();
  let current: (PrometheusFamily & { samples: PrometheusSample[] }) | undefined;
  let help: { name: string; text: string } | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (!metricName.test(name) || families.has(name)) throw new Error(`name is wrong or stood before: ${line}`);
      help = { name, text: rest };
    } else if (keyword === 'TYPE') {
      if (help?.name !== name || !['counter', 'gauge', 'histogram'].includes(rest)) throw new Error(`wrong: ${line}`);
      current = { name, help: help.text, type: rest, samples: [] };
      families.set(name, current);
    } else {
      const sample = parseSample(line);
      if (current === undefined || !belongs(sample.name, current)) throw new Error(`of another family: ${line}`);
      const identity = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (seen.has(identity)) throw new Error(`stood before: ${line}`);
      seen.add(identity);
      current.samples.push(sample);
    }
  }
  for (const family of families.values()) {
    if (
      family.type === 'counter' &&
      !(family.name.endsWith('_total') && family.samples.every(({ value }) => value >= 0))
    )
      throw new Error(`no counter: ${family.name}`);
    if (family.type === 'histogram') checkHistograms(family);
  }
  return families;
}

function parseSample(line: string): PrometheusSample {
  const [, name, labels = '', value = ''] = sampleLine.exec(line) ?? [];
  if (name === undefined || !valueText.test(value)) throw new Error(`no sample: ${line}`);
  const pairs = [...labels.matchAll(labelPart)].map(([, label = '', escaped = '']): [string, string] => [
    label,
    escaped.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character)),
  ]);
  if (new Set(pairs.map(([label]) => label)).size !== pairs.length) throw new Error(`a label twice: ${line}`);
  return { name, labels: Object.fromEntries(pairs), value: Number(value.replace('Inf', 'Infinity')) };
}

function belongs(sample: string, { name, type }: PrometheusFamily): boolean {
  return type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(sample) : sample === name;
}

function checkHistograms({ name, samples }: PrometheusFamily): void {
  const groups = new Map<string, PrometheusSample[]>();
  for (const sample of samples) {
    const { le, ...labels } = sample.labels;
    if ((le !== undefined) !== (sample.name === `${name}_bucket`)) throw new Error(`le is wrong in ${sample.name}`);
    const key = JSON.stringify(labels);
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  for (const [key, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number(labels['le']?.replace('+Inf', 'Infinity')));
    const rises = (values: number[]) =>
      values.every((value, place) => place === 0 || value >= (values[place - 1] as number));
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const sum = group.find((sample) => sample.name === `${name}_sum`)?.value;
    const whole =
      rises(bounds) && bounds.at(-1) === Number.POSITIVE_INFINITY && rises(buckets.map(({ value }) => value));
    if (!whole || buckets.at(-1)?.value !== count || sum === undefined) throw new Error(`no histogram: ${key}`);
  }
}
