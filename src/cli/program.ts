import { Command } from 'commander';
import { version } from '../base/version.ts';
import { catCommand } from './commands/cat.ts';
import { duCommand } from './commands/du.ts';
import { execCommand } from './commands/exec.ts';
import { extractCommand } from './commands/extract.ts';
import { indexCommand } from './commands/index-archive.ts';
import { infoCommand } from './commands/info.ts';
import { lsCommand } from './commands/ls.ts';
import { mergeCommand } from './commands/merge.ts';
import { mountCommand } from './commands/mount.ts';
import { packCommand } from './commands/pack.ts';
import { statCommand } from './commands/stat.ts';
import { statsCommand } from './commands/stats.ts';
import { unmountCommand } from './commands/unmount.ts';
import { verifyCommand } from './commands/verify.ts';
import { writeMessage } from './messages.ts';
import { standardOutput } from './standard-output.ts';

const commands = [
  packCommand,
  mergeCommand,
  indexCommand,
  mountCommand,
  unmountCommand,
  execCommand,
  statsCommand,
  lsCommand,
  statCommand,
  duCommand,
  catCommand,
  extractCommand,
  infoCommand,
  verifyCommand,
];

const notes = `
Examples:
  shoal pack dataset -o train.shoal     # makes train.shoal and train.tar
  shoal mount train.shoal /mnt/data     # every program sees the files
  shoal unmount /mnt/data

Exit codes: 0 done, 1 failed, 2 usage, 3 damaged or different data, 4 done in part.
shoal COMMAND --help shows options and examples of a command.`;

/** The whole command line. Instead of ending the process, it throws commander's errors, and it prints none of them. */
export function createProgram(): Command {
  const program = new Command('shoal')
    .description('Packs trees of small files into images, and serves images as files.')
    .version(`shoal ${version}`, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', notes)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => standardOutput.write(Buffer.from(text)),
      writeErr: writeMessage,
      outputError: () => {},
    });
  for (const create of commands) program.addCommand(create().copyInheritedSettings(program));
  return program;
}
