import type { Command } from 'commander';
import { showBytes } from '../../base/entry-path.ts';
import { countText } from '../count-text.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { raiseExitStatus } from '../exit-status.ts';
import { withImageArgument } from '../image-argument.ts';
import { longWork } from '../long-work.ts';
import { printMessage } from '../messages.ts';
import { problemDocuments, problemLines, problemStatus } from '../problem-lines.ts';
import { argumentBytes } from '../raw-arguments.ts';
import { sizeText } from '../size-text.ts';
import { standardOutput } from '../standard-output.ts';

interface ExtractOptions extends CommonOptions {
  readonly directory: string;
}

export function extractCommand(): Command {
  const command = defineCommand('extract', 'write entries as files again', [
    ['shoal extract train.shoal -C dataset', 'everything'],
    ['shoal extract train.shoal images/cats labels.csv -C .', 'some of it, at the same paths below the directory'],
  ])
    .argument('<image>', 'an index: NAME.shoal')
    .argument('[path...]', 'paths within the image; everything if none is given')
    .requiredOption('-C, --directory <dir>', 'where to; it must exist, and nothing is ever written outside of it');
  return addCommonOptions(command).action((image: string, paths: string[], options: ExtractOptions) =>
    withImageArgument(image, (file) => extract(file, paths, options)),
  );
}

async function extract(image: Buffer, paths: readonly string[], options: ExtractOptions): Promise<void> {
  const { extractImage } = await import('../../index.ts');
  const directory = argumentBytes(options.directory);
  const { entries, bytes, problems } = await longWork('extracting', options, (job) =>
    extractImage(image, directory, { ...job, paths: paths.map(argumentBytes) }),
  );

  if (options.json) {
    standardOutput.writeJson({ entries, bytes, problems: problemDocuments(problems) });
  } else {
    for (const line of problemLines(problems)) printMessage(`shoal: extract: ${line}`);
    if (!options.quiet)
      standardOutput.writeLine(
        `${showBytes(directory)}: ${countText(entries, 'entry', 'entries')}, ${sizeText(bytes)}`,
      );
  }
  raiseExitStatus(problemStatus(problems));
}
