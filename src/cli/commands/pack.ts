import type { Command } from 'commander';
import { showBytes } from '../../base/entry-path.ts';
import type { PackSummary } from '../../index.ts';
import { byteFields } from '../byte-fields.ts';
import { countText } from '../count-text.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { durationText } from '../duration-text.ts';
import { longWork } from '../long-work.ts';
import { printMessage } from '../messages.ts';
import { addMetadata, parseJobs, parseVolumeSize } from '../option-values.ts';
import { problemDocuments, problemLines } from '../problem-lines.ts';
import { argumentBytes } from '../raw-arguments.ts';
import { sizeText } from '../size-text.ts';
import { standardOutput } from '../standard-output.ts';

interface PackOptions extends CommonOptions {
  readonly output: string;
  readonly force?: true;
  readonly jobs?: number;
  readonly meta?: Readonly<Record<string, string>>;
  readonly provenance?: true;
  readonly volumeSize?: number;
  readonly shardNames?: string;
  readonly order?: string;
  readonly null?: true;
  readonly samples?: true;
  readonly dedupe?: true;
}

export function packCommand(): Command {
  const command = defineCommand('pack', 'make an image of trees of files', [
    ['shoal pack dataset -o train.shoal', 'the contents of dataset become the root; makes train.shoal and train.tar'],
    ['shoal pack a b -o both.shoal', 'several sources: each stands under its name'],
    ['shoal pack dataset -o train.shoal --meta licence=CC0', 'shown by shoal info'],
    ['shoal pack dataset -o train.shoal --volume-size 4G', 'train-00000.tar, train-00001.tar, … of at most 4 GiB'],
    ['shoal pack dataset -o train.shoal --order first-epoch.txt', 'files in the order in which they are read'],
    [
      "shoal pack dataset -o train.shoal --samples --volume-size 3G --shard-names 'train-{000000..000146}.tar'",
      'shards for a WebDataset loader',
    ],
  ])
    .argument('<source...>', 'directories, or files, to pack')
    .requiredOption('-o, --output <image>', 'the index to write, NAME.shoal; the volume NAME.tar lies beside it')
    .option('--force', 'replace an image that exists')
    .option('--jobs <n>', 'threads that read the source', parseJobs)
    .option('--meta <key=value>', 'store a key and a value in the image; may be repeated', addMetadata)
    .option('--volume-size <size>', 'split into volumes NAME-00000.tar, … of at most this size', parseVolumeSize)
    .option('--shard-names <pattern>', 'names for these volumes: train-{000000..000146}.tar')
    .option('--samples', 'keep the files of a WebDataset sample together, and in one volume')
    .option('--order <path|file>', 'by path (default), or first those that a file lists, one path a line', 'path')
    .option('--null', 'paths in the file of --order end in a NUL, not a newline')
    .option('--dedupe', 'store files of equal content once; tar extracts them as hard links')
    .option('--provenance', 'store source, host, time and command in the image, which then differs from run to run');
  return addCommonOptions(command).action(pack);
}

async function pack(sources: readonly string[], options: PackOptions): Promise<void> {
  const { packTree } = await import('../../index.ts');
  const begun = performance.now();
  const image = argumentBytes(options.output);
  const result = await longWork('packing', options, (job) =>
    packTree(sources.map(argumentBytes), image, {
      ...job,
      force: options.force === true,
      ...(options.jobs !== undefined && { jobs: options.jobs }),
      ...(options.meta !== undefined && { metadata: options.meta }),
      provenance: options.provenance === true,
      ...(options.volumeSize !== undefined && { volumeSize: options.volumeSize }),
      ...(options.shardNames !== undefined && { shardNames: options.shardNames }),
      samples: options.samples === true,
      dedupe: options.dedupe === true,
      ...(options.order !== undefined && options.order !== 'path' && { order: argumentBytes(options.order) }),
      orderNull: options.null === true,
    }),
  );
  if (options.json) standardOutput.writeJson(packDocument(image, result));
  else if (!options.quiet) printSummary(image, result, performance.now() - begun);
}

/** How many entries that are larger than a volume are named; --json names all. */
const namedOversized = 3;

function printSummary(image: Buffer, result: PackSummary, milliseconds: number): void {
  for (const line of problemLines(result.skipped)) printMessage(`shoal: pack: skipped ${line}`);
  for (const line of problemLines(result.oversized.slice(0, namedOversized))) printMessage(`shoal: pack: ${line}`);
  const unnamed = result.oversized.length - namedOversized;
  if (unnamed > 0) printMessage(`shoal: pack: and ${countText(unnamed, 'entry more does', 'entries more do')}`);
  if (result.strays.count > 0) printMessage(`shoal: pack: ${strayText(result.strays)}`);
  const length = sizeText(result.indexLength + result.volumeLength);
  const details = [
    ...(result.volumes.length > 1 ? [` in ${result.volumes.length} volumes`] : []),
    ...(result.dedupedBytes > 0 ? [`, ${sizeText(result.dedupedBytes)} saved by copies`] : []),
  ].join('');
  const rate = sizeText(result.bytes / (milliseconds / 1000));
  standardOutput.writeLine(
    `${showBytes(image)}: ${countText(result.entries, 'entry', 'entries')}, ${sizeText(result.bytes)} of content in an image of ${length}${details}; ${durationText(milliseconds)}, ${rate}/s`,
  );
}

function strayText({ first, count }: PackSummary['strays']): string {
  const named = first.map(showBytes).join(', ');
  const more = count > first.length ? `, and ${count - first.length} more` : '';
  return `--order: ${countText(count, 'path is', 'paths are')} no file of the image: ${named}${more}`;
}

function packDocument(image: Buffer, result: PackSummary): object {
  return {
    ...byteFields('image', image),
    id: result.id,
    entries: result.entries,
    bytes: result.bytes,
    indexLength: result.indexLength,
    volumes: result.volumes.map(({ name, length }) => ({ ...byteFields('name', name), length })),
    volumeLength: result.volumeLength,
    dedupedBytes: result.dedupedBytes,
    skipped: problemDocuments(result.skipped),
    oversized: problemDocuments(result.oversized),
    strays: { count: result.strays.count, first: result.strays.first.map((path) => byteFields('path', path)) },
  };
}
