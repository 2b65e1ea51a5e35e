import type { Command } from 'commander';
import { showBytes } from '../../base/entry-path.ts';
import { exitCode } from '../../base/errors.ts';
import type { IndexSummary } from '../../index.ts';
import { byteFields } from '../byte-fields.ts';
import { countText } from '../count-text.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { durationText } from '../duration-text.ts';
import { raiseExitStatus } from '../exit-status.ts';
import { longWork } from '../long-work.ts';
import { printMessage } from '../messages.ts';
import { problemDocuments, problemLines } from '../problem-lines.ts';
import { argumentBytes } from '../raw-arguments.ts';
import { sizeText } from '../size-text.ts';
import { standardOutput } from '../standard-output.ts';

interface IndexOptions extends CommonOptions {
  readonly output?: string;
  readonly force?: true;
}

export function indexCommand(): Command {
  const command = defineCommand('index', 'make the index of a tar that exists', [
    ['shoal index photos.tar', 'makes photos.tar.shoal, or photos.shoal if shoal wrote the tar'],
    ['shoal index photos.tar.zst', 'of a volume that shoal compressed: the index made anew'],
    ['shoal index /archive/photos.tar -o photos.shoal', 'the index elsewhere'],
    ['shoal index photos-*.tar -o photos.shoal', 'all volumes of an image, in any order'],
  ])
    .argument(
      '<archive...>',
      'a tar that exists: one that Shoal wrote, compressed or not, any other uncompressed one; or all volumes of an image',
    )
    .option('-o, --output <image>', 'the index to write, NAME.shoal; beside the archive if not given')
    .option('--force', 'replace an index that exists');
  return addCommonOptions(command).action(index);
}

async function index(archives: readonly string[], options: IndexOptions): Promise<void> {
  const { indexArchive } = await import('../../index.ts');
  const begun = performance.now();
  const result = await longWork('indexing', options, (job) =>
    indexArchive(archives.map(argumentBytes), {
      ...job,
      force: options.force === true,
      ...(options.output !== undefined && { output: argumentBytes(options.output) }),
    }),
  );
  if (options.json) standardOutput.writeJson(indexDocument(result));
  else if (!options.quiet) printSummary(result, performance.now() - begun);
  if (result.skipped.length > 0) raiseExitStatus(exitCode('partial'));
}

function printSummary(result: IndexSummary, milliseconds: number): void {
  for (const line of problemLines(result.skipped)) printMessage(`shoal: index: skipped ${line}`);
  standardOutput.writeLine(
    `${showBytes(result.image)}: ${countText(result.entries, 'entry', 'entries')}, ${sizeText(result.bytes)} of content; ${durationText(milliseconds)}`,
  );
}

function indexDocument(result: IndexSummary): object {
  return {
    ...byteFields('image', result.image),
    id: result.id,
    entries: result.entries,
    bytes: result.bytes,
    indexLength: result.indexLength,
    skipped: problemDocuments(result.skipped),
  };
}
