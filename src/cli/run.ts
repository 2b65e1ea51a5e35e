import { CommanderError } from 'commander';
import { exitCode, isShoalError, ShoalError } from '../base/errors.ts';
import { tellMistakenMount } from './commands/mount.ts';
import type { CommonOptions } from './define-command.ts';
import { printError } from './each-path.ts';
import { raiseExitStatus } from './exit-status.ts';
import { withImpliedMount } from './implied-mount.ts';
import { Interrupted } from './interrupt.ts';
import { printMessage } from './messages.ts';
import { createProgram } from './program.ts';
import { OutputClosed, standardOutput } from './standard-output.ts';

/** What a shell reports for a program that wrote into a closed pipe: 128 and SIGPIPE. */
const outputClosedStatus = 141;

/** Runs the command line `given`, tells what goes wrong, and sets the exit code of the process. */
export async function run(given: readonly string[]): Promise<void> {
  const args = withImpliedMount(given);
  const program = createProgram();
  const command = args.find((argument) => program.commands.some((known) => known.name() === argument));
  let begun = false;
  program.hook('preAction', () => {
    begun = true;
  });
  const fail = (error: unknown) => reportFailure(error, command, optionsIn(args));
  // What goes wrong outside of the command's own flow must not show a stack either.
  process.on('uncaughtException', (error) => {
    fail(error);
    process.exit();
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    standardOutput.flush();
  } catch (error) {
    fail(error);
    if (!begun && command === 'mount' && process.exitCode !== undefined) await tellMistakenMount(args);
  }
}

function reportFailure(error: unknown, command: string | undefined, options: CommonOptions): void {
  if (error instanceof OutputClosed) process.exit(outputClosedStatus);
  flushResults();
  if (error instanceof CommanderError) reportUsage(error, command, options);
  else if (error instanceof Interrupted) {
    printMessage(`shoal: ${command}: ${error.message}`);
    raiseExitStatus(error.status);
  } else {
    printError(error, command, options);
    raiseExitStatus(isShoalError(error) ? exitCode(error.code) : 1);
  }
}

/** Results that were found before the failure come before its message. */
function flushResults(): void {
  try {
    standardOutput.flush();
  } catch (error) {
    if (error instanceof OutputClosed) process.exit(outputClosedStatus);
  }
}

function reportUsage(error: CommanderError, command: string | undefined, options: CommonOptions): void {
  if (error.exitCode === 0) return;
  // Without any command, commander has shown the help.
  if (error.code !== 'commander.help') {
    const message = error.message.replace(/^error: /, '').replace(/\n\((.*)\)$/s, '\n$1');
    const hint = `Try: shoal ${command === undefined ? '' : `${command} `}--help`;
    printError(new ShoalError('usage', `${message}\n${hint}`), command, options);
  }
  raiseExitStatus(2);
}

/** The common options, also of a command line that could not be understood. */
function optionsIn(args: readonly string[]): CommonOptions {
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  return {
    ...(options.includes('--json') && { json: true }),
    ...((options.includes('--verbose') || options.includes('-v')) && { verbose: true }),
  };
}
