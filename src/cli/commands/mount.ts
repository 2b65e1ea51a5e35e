import type { Command } from 'commander';
import { showBytes } from '../../base/entry-path.ts';
import { ShoalError } from '../../base/errors.ts';
import { byteFields } from '../byte-fields.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { withImageArguments } from '../image-argument.ts';
import { printMessage } from '../messages.ts';
import { argumentBytes } from '../raw-arguments.ts';
import { standardOutput } from '../standard-output.ts';

interface MountCommandOptions extends CommonOptions {
  readonly foreground?: true;
  readonly options?: string;
  readonly log?: string;
  readonly metrics?: string;
}

export function mountCommand(): Command {
  const command = defineCommand('mount', 'serve an image as a directory', [
    ['shoal mount train.shoal /mnt/data', 'until shoal unmount /mnt/data'],
    ['shoal mount -f train.shoal /mnt/data', 'until Ctrl-C'],
    ['shoal mount train.shoal /mnt/data -o allow_other,umask=022', 'for all users of the machine'],
    ['shoal mount base.shoal fixes.shoal /mnt/data', 'both as one tree; of the same path, that of fixes'],
    ['shoal mount train.shoal /mnt/cats -o subdir=images/cats', 'a directory of the image'],
    ['shoal mount train.shoal /mnt/data --metrics /var/lib/node_exporter/train.prom', 'for the textfile collector'],
  ])
    .usage('[options] <image...> <dir>')
    .argument(
      '<image...>',
      'indexes, NAME.shoal, and behind them <dir>, an empty directory; of several images, which are shown as one tree, later ones win',
    )
    .option('-f, --foreground', 'serve from this process, until it is told to stop or the mount is taken away')
    .option(
      '-o, --options <list>',
      'uid=N, gid=N, umask=MODE, allow_other, subdir=PATH; comma-separated, may be repeated',
      joinLists,
    )
    .option('--log <file>', 'file to which damage that reading meets is appended; with -f it goes to standard error')
    .option(
      '--metrics <file>',
      "file that tells in Prometheus' text format what the mount does; written anew every 10 s",
    );
  return addCommonOptions(command).action((operands: readonly string[], options: MountCommandOptions) => {
    const images = operands.slice(0, -1);
    const directory = argumentBytes(operands.at(-1) as string);
    if (images.length === 0) return command.error("error: missing required argument 'dir'");
    return withImageArguments(images, (files) => mount(files, directory, options));
  });
}

function joinLists(list: string, before: string | undefined): string {
  return before === undefined ? list : `${before},${list}`;
}

async function mount(images: readonly Buffer[], directory: Buffer, options: MountCommandOptions): Promise<void> {
  const { parseMountOptions } = await import('../../mount/mount-options.ts');
  const { mountImage, serveInForeground } = await import('../../mount/mount-image.ts');
  const mountOptions = {
    ...parseMountOptions(argumentBytes(options.options ?? '')),
    ...(options.metrics !== undefined && { metrics: argumentBytes(options.metrics) }),
  };
  if (options.foreground && options.log !== undefined) {
    throw new ShoalError('usage', 'expected --log without -f: a server in the foreground tells standard error');
  }
  if (options.foreground) {
    await serveInForeground(images, directory, mountOptions, () => reportReady(directory, options));
    // A program that did not close its files in time would keep this process alive.
    process.exit();
  }
  const log = options.log === undefined ? {} : { log: argumentBytes(options.log) };
  const { already, pid, directory: resolved } = await mountImage(images, directory, { ...mountOptions, ...log });
  if (options.json) standardOutput.writeJson({ ...byteFields('directory', resolved), already, pid });
  else if (already && !options.quiet)
    printMessage(
      `shoal: mount: ${showBytes(resolved)} serves ${images.length > 1 ? 'these images' : 'this image'} already`,
    );
}

function reportReady(directory: Buffer, options: CommonOptions): void {
  if (options.json)
    standardOutput.writeJson({ ...byteFields('directory', directory), already: false, pid: process.pid });
  else if (!options.quiet) printMessage(`shoal: mount: ready on ${showBytes(directory)}; Ctrl-C ends it`);
  standardOutput.flush();
}
