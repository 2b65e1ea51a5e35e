// npm run soak -- --minutes 60: two mounts in hard use, see benchmarks/soak/soak.ts. A line a minute, a verdict, and a summary in benchmarks/results/.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildClients } from './clients.ts';
import { machineFacts } from './machine.ts';
import { judge } from './soak/judge.ts';
import { Soak } from './soak/soak.ts';
import { keepSummary, summaryLines } from './soak/summary.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    files: { type: 'string', default: '20000' },
    readers: { type: 'string', default: '4' },
    work: { type: 'string', default: tmpdir() },
  },
});
const [minutes, files, readers] = [values.minutes, values.files, values.readers].map(Number) as [
  number,
  number,
  number,
];
if (!(minutes > 0 && files > 0 && readers > 0))
  throw new Error('expected numbers above 0 for --minutes, --files and --readers');

buildClients();
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => interrupted.abort());
const started = Date.now();
const directory = mkdtempSync(join(values.work, 'shoal-soak-'));
try {
  const soak = new Soak({
    seconds: minutes * 60,
    directory,
    files,
    readers,
    dropsDentries: true,
    signal: interrupted.signal,
  });
  const everyMinute = setInterval(() => console.log(line(soak)), 60_000);
  await soak.run().finally(() => clearInterval(everyMinute));
  const checks = judge(soak.facts);
  for (const each of summaryLines({ checks })) console.log(each);
  const { samples, ...facts } = soak.facts;
  const command = ['npm run soak', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ');
  const about = { date: new Date(started).toISOString(), command, minutes: (Date.now() - started) / 60_000 };
  console.log(`kept in ${keepSummary({ ...about, machine: machineFacts(directory), ...facts, checks })}`);
  if (interrupted.signal.aborted || checks.some(({ holds }) => !holds)) process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function line({ facts }: Soak): string {
  const { memory, descriptors } = facts.samples.at(-1) ?? { memory: 0, descriptors: 0 };
  const time = `${Math.round((Date.now() - started) / 60_000)} min`;
  const done = `${facts.files} files, ${(facts.bytes / 1e9).toFixed(1)} GB, ${facts.wrong} wrong, ${facts.unread} unread`;
  const life = `${facts.killedReaders} readers killed, ${facts.cycles} mounts, ${facts.repairs} repaired, ${facts.stuck} stuck`;
  return `${time}: ${done}; ${life}; server ${memory.toFixed(1)} MiB, ${descriptors} descriptors`;
}
