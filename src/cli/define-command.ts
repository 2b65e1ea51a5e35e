import { Command } from 'commander';

/** What every command takes. */
export interface CommonOptions {
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
}

/** A command line and what it does. */
export type Example = readonly [line: string, meaning: string];

/** A command with the options that all have, and its examples below its help. */
export function defineCommand(name: string, summary: string, examples: readonly Example[]): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, meaning]) => `  ${line.padEnd(width)}  # ${meaning}`);
  return new Command(name)
    .summary(summary)
    .description(summary)
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

/** Adds the options that all commands have, behind a command's own. */
export function addCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print results as JSON, one document a line')
    .option('-q, --quiet', 'print results and errors only')
    .option('-v, --verbose', 'show with an error where in the program it came from');
}
