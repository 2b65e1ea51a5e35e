import type { Command } from 'commander';
import { showBytes } from '../../base/entry-path.ts';
import { exitCode } from '../../base/errors.ts';
import type { PackSummary } from '../../index.ts';
import { byteFields } from '../byte-fields.ts';
import { countText } from '../count-text.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { durationText } from '../duration-text.ts';
import { raiseExitStatus } from '../exit-status.ts';
import { longWork } from '../long-work.ts';
import { printMessage } from '../messages.ts';
import { addMetadata, parseJobs } from '../option-values.ts';
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
  readonly removeSource?: true;
  readonly resume?: true;
}

export function packCommand(): Command {
  const command = defineCommand('pack', 'make an image of trees of files', [
    ['shoal pack dataset -o train.shoal', 'the contents of dataset become the root; makes train.shoal and train.tar'],
    ['shoal pack a b -o both.shoal', 'several sources: each stands under its name'],
    ['shoal pack dataset -o train.shoal --meta licence=CC0', 'shown by shoal info'],
    ['shoal pack results -o results.shoal --remove-source', 'read back and compared, then removed'],
  ])
    .argument('<source...>', 'directories, or files, to pack')
    .requiredOption('-o, --output <image>', 'the index to write, NAME.shoal; the volume NAME.tar lies beside it')
    .option('--force', 'replace an image that exists')
    .option('--jobs <n>', 'threads that read the source', parseJobs)
    .option('--meta <key=value>', 'store a key and a value in the image; may be repeated', addMetadata)
    .option(
      '--remove-source',
      'remove from the sources what was read back from the image and compared, byte by byte; what has changed stays',
    )
    .option('--resume', 'go on where a run that was stopped got to; removing included')
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
      removeSource: options.removeSource === true,
      resume: options.resume === true,
    }),
  );
  if (options.json) standardOutput.writeJson(packDocument(image, result));
  else printResult(image, result, performance.now() - begun, options.quiet === true);
  raiseExitStatus(keptStatus(result));
}

/** 4 where something of the sources stays; that it differs from the image is no damage of the image. */
function keptStatus({ removed }: PackSummary): number {
  return removed !== undefined && removed.kept.length > 0 ? exitCode('partial') : 0;
}

function printResult(image: Buffer, result: PackSummary, milliseconds: number, quiet: boolean): void {
  for (const line of problemLines(result.removed?.kept ?? [])) printMessage(`shoal: pack: not removed: ${line}`);
  if (quiet) return;
  for (const line of problemLines(result.skipped)) printMessage(`shoal: pack: skipped ${line}`);
  const length = sizeText(result.indexLength + result.volumeLength);
  const rate = sizeText(result.bytes / (milliseconds / 1000));
  standardOutput.writeLine(
    `${showBytes(image)}: ${countText(result.entries, 'entry', 'entries')}, ${sizeText(result.bytes)} of content in an image of ${length}; ${durationText(milliseconds)}, ${rate}/s`,
  );
  if (result.removed !== undefined) {
    const { entries, inodes, bytes } = result.removed;
    standardOutput.writeLine(
      `removed ${countText(entries, 'entry', 'entries')} of the sources: ${countText(inodes, 'inode', 'inodes')} and ${sizeText(bytes)} freed`,
    );
  }
}

function packDocument(image: Buffer, result: PackSummary): object {
  return {
    ...byteFields('image', image),
    id: result.id,
    entries: result.entries,
    bytes: result.bytes,
    indexLength: result.indexLength,
    volumeLength: result.volumeLength,
    skipped: problemDocuments(result.skipped),
    ...(result.removed && { removed: { ...result.removed, kept: problemDocuments(result.removed.kept) } }),
  };
}
