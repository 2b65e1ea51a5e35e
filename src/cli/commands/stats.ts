import type { Command } from 'commander';
import { showBytes } from '../../base/entry-path.ts';
import type { MountStatistics } from '../../index.ts';
import { byteFields } from '../byte-fields.ts';
import { countText } from '../count-text.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { durationText } from '../duration-text.ts';
import { argumentBytes } from '../raw-arguments.ts';
import { sizeText } from '../size-text.ts';
import { standardOutput } from '../standard-output.ts';
import { type Alignment, tableLines } from '../table.ts';

export function statsCommand(): Command {
  const command = defineCommand('stats', 'show what a mount has done', [
    ['shoal stats /mnt/data', 'requests by kind and how long they took'],
    [
      "shoal stats --json /mnt/data | jq '.requests.read.p99 / 1000'",
      'microseconds that 99 of 100 reads did not exceed',
    ],
  ]).argument('<dir>', 'the mount point');
  return addCommonOptions(command).action(async (directory: string, options: CommonOptions) => {
    const { mountStatistics } = await import('../../index.ts');
    const statistics = await mountStatistics(argumentBytes(directory));
    if (options.json) standardOutput.writeJson(statisticsDocument(statistics));
    else for (const line of statisticsLines(statistics)) standardOutput.writeLine(line);
  });
}

function statisticsDocument({ directory, image, ...counts }: MountStatistics): object {
  return { ...byteFields('directory', directory), ...byteFields('image', image), ...counts };
}

function statisticsLines(statistics: MountStatistics): string[] {
  return [...headLines(statistics), '', ...requestLines(statistics), '', ...byteLines(statistics)];
}

function headLines({ directory, image, pid, uptime, threads, version, protocol }: MountStatistics): string[] {
  const server = `shoal ${plain(version)}, process ${pid}, ${countText(threads, 'thread', 'threads')}`;
  return tableLines(
    [
      ['mount', `${showBytes(image)} on ${showBytes(directory)}, for ${durationText(uptime / 1e6)}`],
      ['server', server],
      ['protocol', `FUSE 7.${protocol.minor}, reads of up to ${sizeText(protocol.maxRead)}`],
      ['agreed', protocol.features.map(plain).join(' ') || 'nothing'],
    ],
    ['right', 'left'],
  );
}

/** Kinds that were asked for, and their sum. */
function requestLines({ requests, uptime }: MountStatistics): string[] {
  const asked = Object.entries(requests).filter(([, { count }]) => count > 0);
  const rows = asked.map(([kind, { count, errors, ...times }]) => [
    kind,
    String(count),
    rateText(count, uptime),
    String(errors),
    ...[times.p50, times.p90, times.p99, times.p999, times.longest].map(microseconds),
  ]);
  const sum = (of: 'count' | 'errors') => asked.reduce((total, [, counted]) => total + counted[of], 0);
  const all = ['all', String(sum('count')), rateText(sum('count'), uptime), String(sum('errors'))];
  const heads = ['request', 'count', 'per second', 'errors', 'p50 µs', 'p90', 'p99', 'p99.9', 'longest'];
  return tableLines([heads, ...rows, all], ['left', ...Array<Alignment>(8).fill('right')]);
}

function byteLines(statistics: MountStatistics): string[] {
  const { servedBytes, storageBytes, storageReads, cacheHits, cacheMisses } = statistics;
  const blocks = cacheHits + cacheMisses;
  return tableLines(
    [
      ['served', sizeText(servedBytes)],
      ['from storage', `${sizeText(storageBytes)} in ${countText(storageReads, 'read', 'reads')}`],
      ['block cache', blocks === 0 ? 'not used' : `${percentText(cacheHits / blocks)} of ${blocks} blocks were there`],
      ['retries', String(statistics.retries)],
      ['checksum failures', String(statistics.checksumFailures)],
      ['index faults', String(statistics.indexFaults)],
    ],
    ['right', 'left'],
  );
}

function rateText(count: number, uptime: number): string {
  const rate = count / (uptime / 1e9);
  return rate < 100 ? rate.toFixed(1) : String(Math.round(rate));
}

function microseconds(nanoseconds: number): string {
  const value = nanoseconds / 1000;
  return value < 100 ? value.toFixed(1) : String(Math.round(value));
}

function percentText(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** What another process sent, as text that may reach a terminal. */
function plain(text: string): string {
  return showBytes(Buffer.from(text));
}
