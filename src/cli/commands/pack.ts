import type { Command } from 'commander';
import { showBytes } from '../../base/entry-path.ts';
import type { PackSummary } from '../../index.ts';
import { byteFields } from '../byte-fields.ts';
import { countText } from '../count-text.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { durationText } from '../duration-text.ts';
import { longWork } from '../long-work.ts';
import { printMessage } from '../messages.ts';
import { addMetadata, parseJobs, parsePart } from '../option-values.ts';
import { problemDocuments, problemLines } from '../problem-lines.ts';
import { argumentBytes } from '../raw-arguments.ts';
import { sizeText } from '../size-text.ts';
import { standardOutput } from '../standard-output.ts';

interface PackOptions extends CommonOptions {
  readonly output: string;
  readonly force?: true;
  readonly jobs?: number;
  readonly part?: { readonly number: number; readonly count: number };
  readonly meta?: Readonly<Record<string, string>>;
  readonly provenance?: true;
}

export function packCommand(): Command {
  const command = defineCommand('pack', 'make an image of trees of files', [
    ['shoal pack dataset -o train.shoal', 'the contents of dataset become the root; makes train.shoal and train.tar'],
    ['shoal pack a b -o both.shoal', 'several sources: each stands under its name'],
    ['shoal pack dataset --part 2/4 -o part2.shoal', 'the second of four shares, here or on another machine'],
    ['shoal pack dataset -o train.shoal --meta licence=CC0', 'shown by shoal info'],
  ])
    .argument('<source...>', 'directories, or files, to pack')
    .requiredOption('-o, --output <image>', 'the index to write, NAME.shoal; the volume NAME.tar lies beside it')
    .option('--force', 'replace an image that exists')
    .option('--jobs <n>', 'threads that read the source', parseJobs)
    .option('--part <i/n>', 'pack only this share; merged, the images of all n parts hold everything', parsePart)
    .option('--meta <key=value>', 'store a key and a value in the image; may be repeated', addMetadata)
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
      ...(options.part !== undefined && { part: options.part }),
      ...(options.meta !== undefined && { metadata: options.meta }),
      provenance: options.provenance === true,
    }),
  );
  if (options.json) standardOutput.writeJson(packDocument(image, result));
  else if (!options.quiet) printSummary(image, result, performance.now() - begun);
}

function printSummary(image: Buffer, result: PackSummary, milliseconds: number): void {
  for (const line of problemLines(result.skipped)) printMessage(`shoal: pack: skipped ${line}`);
  const length = sizeText(result.indexLength + result.volumeLength);
  const rate = sizeText(result.bytes / (milliseconds / 1000));
  standardOutput.writeLine(
    `${showBytes(image)}: ${countText(result.entries, 'entry', 'entries')}, ${sizeText(result.bytes)} of content in an image of ${length}; ${durationText(milliseconds)}, ${rate}/s`,
  );
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
  };
}
