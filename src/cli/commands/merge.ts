import type { Command } from 'commander';
import { showBytes } from '../../base/entry-path.ts';
import type { MergeSummary } from '../../index.ts';
import { byteFields } from '../byte-fields.ts';
import { countText } from '../count-text.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { durationText } from '../duration-text.ts';
import { withImageArguments } from '../image-argument.ts';
import { longWork } from '../long-work.ts';
import { addMetadata, addPath } from '../option-values.ts';
import { argumentBytes } from '../raw-arguments.ts';
import { sizeText } from '../size-text.ts';
import { standardOutput } from '../standard-output.ts';

interface MergeCommandOptions extends CommonOptions {
  readonly output: string;
  readonly force?: true;
  readonly meta?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

export function mergeCommand(): Command {
  const command = defineCommand('merge', 'make one index over many images, without copying a byte', [
    ['shoal merge part1.shoal part2.shoal -o all.shoal', 'the volumes stay where they are, and are needed there'],
    ['shoal merge base.shoal delta.shoal -o all.shoal', 'of the same path the later image wins'],
    ['shoal merge base.shoal --remove old/data -o less.shoal', 'without a file, or a directory and all below it'],
  ])
    .argument('<image...>', 'indexes: NAME.shoal; later ones win')
    .requiredOption('-o, --output <image>', 'the index to write, NAME.shoal')
    .option('--force', 'replace an index that exists, but none of the images that are merged')
    .option('--remove <path>', 'leave out a path of the images, and all below it; may be repeated', addPath)
    .option(
      '--meta <key=value>',
      'store a key and a value, besides those that all images have alike; may be repeated',
      addMetadata,
    );
  return addCommonOptions(command).action((images: readonly string[], options: MergeCommandOptions) =>
    withImageArguments(images, (parts) => merge(parts, options)),
  );
}

async function merge(parts: readonly Buffer[], options: MergeCommandOptions): Promise<void> {
  const { mergeImages } = await import('../../index.ts');
  const begun = performance.now();
  const result = await longWork('merging', options, (job) =>
    mergeImages(parts, argumentBytes(options.output), {
      ...job,
      force: options.force === true,
      remove: (options.remove ?? []).map(argumentBytes),
      ...(options.meta !== undefined && { metadata: options.meta }),
    }),
  );
  if (options.json) standardOutput.writeJson(mergeDocument(result));
  else if (!options.quiet) standardOutput.writeLine(summaryLine(result, parts.length, performance.now() - begun));
}

function summaryLine({ image, entries, bytes, volumes }: MergeSummary, parts: number, milliseconds: number): string {
  const content = `${countText(entries, 'entry', 'entries')}, ${sizeText(bytes)} of content`;
  const where = `${countText(volumes, 'volume', 'volumes')} of ${countText(parts, 'image', 'images')}`;
  return `${showBytes(image)}: ${content} in ${where}; ${durationText(milliseconds)}`;
}

function mergeDocument({ image, id, entries, bytes, volumes, indexLength }: MergeSummary): object {
  return { ...byteFields('image', image), id, entries, bytes, volumes, indexLength };
}
