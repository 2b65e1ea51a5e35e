import type { Command } from 'commander';
import { byteFields } from '../byte-fields.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { argumentBytes } from '../raw-arguments.ts';
import { standardOutput } from '../standard-output.ts';

interface UnmountOptions extends CommonOptions {
  readonly lazy?: true;
}

export function unmountCommand(): Command {
  const command = defineCommand('unmount', 'end a mount', [
    ['shoal unmount /mnt/data', 'fails while a program uses it'],
    ['shoal unmount --lazy /mnt/data', 'takes it out of sight now, ends it when the last program has left'],
  ])
    .argument('<dir>', 'the mount point')
    .option('--lazy', 'do not wait for programs that use the mount');
  return addCommonOptions(command).action(async (directory: string, options: UnmountOptions) => {
    const { unmountImage } = await import('../../index.ts');
    const point = argumentBytes(directory);
    await unmountImage(point, { lazy: options.lazy === true });
    if (options.json) standardOutput.writeJson(byteFields('directory', point));
  });
}
