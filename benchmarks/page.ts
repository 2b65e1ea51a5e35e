import type { Result, RunFacts } from './result.ts';
import { type SoakSummary, summaryLines } from './soak/summary.ts';
import { groupTables } from './table.ts';

/** docs/BENCHMARKS.md: the conditions, the table, and how to repeat it. */
export function benchmarksPage(facts: RunFacts, results: readonly Result[], soak?: SoakSummary): string {
  const { machine } = facts;
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const conditions = new Map(results.map(({ title, conditions, dataSet }) => [title, `${dataSet}; ${conditions}`]));
  return `# Benchmarks

The last run, written by \`${facts.command}\` on ${facts.date.slice(0, 10)}. Losses stand here like wins.

## Conditions

- ${machine.cpu}, ${machine.cores} cores, ${machine.memory}; Linux ${machine.kernel}, ${machine.system}; data on ${machine.filesystem}.
- ${versions.join(', ')}.
- Every trial runs in fresh processes, mounts are fresh, contenders take turns; the median counts. One client, written in C++
  (\`benchmarks/native/read_client.cc\`), asks all of them, in the same seeded order.
- Before each trial on a mount ${facts.dentriesDropped ? 'dentries and inodes were dropped (`echo 2 > /proc/sys/vm/drop_caches`)' : 'nothing was dropped, for lack of the right to (run as root)'}, and the archive was read once, so that its content is in the page cache.
- "Shoal against it" is how many times as good Shoal is; above 1 Shoal is better. The budgets are the design's.

${[...conditions].map(([title, stated]) => `- **${title}**: ${stated}`).join('\n')}

## Results

${groupTables(results)}
${soak === undefined ? '' : soakSection(soak)}
## How to repeat it

\`\`\`
npm ci
npm run bench                              # all of it; as root, so that dentries can be dropped and kernel squashfs mounted
npm run bench -- --full                    # with the image of ten million files: minutes and gigabytes more
npm run bench -- --quick                   # small data, two minutes
npm run bench -- --scenario find,read4     # some of it, or groups: whole, slow, mounted, techniques, scale, huge
npm run bench -- --files 1000000 --trials 3 --work /scratch/bench
npm run bench -- --write-docs              # writes this page
npm run soak -- --minutes 60
\`\`\`

Contenders that are not installed are left out with the reason. Each run also leaves a file of JSON lines in \`benchmarks/results/\`:
the machine's facts first, then every trial of every row. The data set is made from a seed and kept below \`--work\`.
`;
}

function soakSection({ command, date, minutes, bytes, ...soak }: SoakSummary): string {
  return `
## Soak

\`${command}\` on ${date.slice(0, 10)}, ${Math.round(minutes)} minutes: processes read random files of a mount, each byte compared with the
packed tree (${soak.files} files, ${Math.round(bytes / 1e9)} GB), while \`find\` listed it, readers were killed, and a second mount of the image came and went, its server killed every
second time.

${summaryLines(soak)
  .map((line) => `- ${line}`)
  .join('\n')}
`;
}
