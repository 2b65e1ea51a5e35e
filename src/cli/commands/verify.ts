import type { Command } from 'commander';
import { exitCode } from '../../base/errors.ts';
import type { VerifySummary } from '../../index.ts';
import { countText } from '../count-text.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { raiseExitStatus } from '../exit-status.ts';
import { withImageArgument } from '../image-argument.ts';
import { longWork } from '../long-work.ts';
import { printMessage } from '../messages.ts';
import { problemDocuments, problemLines } from '../problem-lines.ts';
import { argumentBytes } from '../raw-arguments.ts';
import { sizeText } from '../size-text.ts';
import { standardOutput } from '../standard-output.ts';

interface VerifyCommandOptions extends CommonOptions {
  readonly against?: string;
}

export function verifyCommand(): Command {
  const command = defineCommand('verify', 'check every byte, compare with a directory', [
    ['shoal verify train.shoal', 'is every byte what was packed?'],
    ['shoal verify train.shoal --against dataset', 'and is the directory still the same, content and metadata?'],
  ])
    .argument('<image>', 'an index: NAME.shoal')
    .option('--against <dir>', 'compare content and metadata of all entries with a directory');
  return addCommonOptions(command).action((image: string, options: VerifyCommandOptions) =>
    withImageArgument(image, (file) => verify(file, options)),
  );
}

async function verify(image: Buffer, options: VerifyCommandOptions): Promise<void> {
  const { verifyImage } = await import('../../index.ts');
  const { against } = options;
  const found = await longWork('verifying', options, (job) =>
    verifyImage(image, { ...job, ...(against !== undefined && { against: argumentBytes(against) }) }),
  );

  if (options.json) {
    standardOutput.writeJson(verifyDocument(found, against !== undefined));
  } else {
    for (const line of problemLines(found.problems)) standardOutput.writeLine(`damaged: ${line}`);
    for (const line of problemLines(found.differences)) standardOutput.writeLine(`different: ${line}`);
    if (!options.quiet) {
      for (const line of problemLines(found.ignored)) printMessage(`shoal: verify: ignored ${line}`);
      standardOutput.writeLine(summaryLine(found, against !== undefined));
    }
  }
  if (found.problems.length + found.differences.length > 0) raiseExitStatus(exitCode('different'));
}

function verifyDocument(found: VerifySummary, compared: boolean): object {
  return {
    entries: found.entries,
    bytes: found.bytes,
    uncheckedBytes: found.uncheckedBytes,
    unframedVolumes: found.unframedVolumes,
    problems: problemDocuments(found.problems),
    ...(compared && { differences: problemDocuments(found.differences), ignored: problemDocuments(found.ignored) }),
  };
}

function summaryLine(
  { entries, bytes, uncheckedBytes, unframedVolumes, problems, differences }: VerifySummary,
  compared: boolean,
): string {
  const findings = [problems.length === 0 ? 'no damage' : `${problems.length} damaged`];
  if (compared)
    findings.push(
      differences.length === 0 ? 'no difference' : countText(differences.length, 'difference', 'differences'),
    );
  if (uncheckedBytes > 0) findings.push(`${sizeText(uncheckedBytes)} could only be read, not checked: no checksums`);
  if (unframedVolumes > 0) findings.push('tar headers and padding not checked: the index has no checksums of them');
  return `${countText(entries, 'entry', 'entries')}, ${sizeText(bytes)}: ${findings.join(', ')}`;
}
