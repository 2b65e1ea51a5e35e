import type { Command } from 'commander';
import { showBytes } from '../../base/entry-path.ts';
import { ShoalError } from '../../base/errors.ts';
import type { LifeOptions } from '../../index.ts';
import { mountDescriptor } from '../../mount/mount-descriptor.ts';
import { byteFields } from '../byte-fields.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { withImageArguments } from '../image-argument.ts';
import { printMessage } from '../messages.ts';
import { parseProcessId } from '../option-values.ts';
import { argumentBytes } from '../raw-arguments.ts';
import { standardOutput } from '../standard-output.ts';

interface MountCommandOptions extends CommonOptions {
  readonly foreground?: true;
  readonly options?: string;
  readonly log?: string;
  readonly metrics?: string;
  readonly lease?: number;
}

const notes = `
Mount options:
  allow_other             other users may use the mount, too
  uid=N gid=N             owner of every entry
  umask=MODE fmask= dmask=  permission bits to take away: everywhere, from all but directories, from directories
  noexec                  nothing of the mount may be executed
  subdir=PATH             the directory of the image that becomes the root
  timeout=SECONDS         unmount when nothing was asked for so long and nobody uses it
  notify_pipe=FIFO        gets the byte s when the mount is ready, f if it fails
What mount(8), fstab and systemd add is taken and ignored; a mount is read-only, nosuid and nodev. More: README.md.

/dev/fd/N as DIR is an open /dev/fuse on which the caller has mounted. "mount" may be left out before a path with a
slash or one that ends in .shoal, so that mount -t fuse.shoal and fstab work.`;

export function mountCommand(): Command {
  const command = defineCommand('mount', 'serve an image as a directory', [
    ['shoal mount train.shoal /mnt/data', 'until shoal unmount /mnt/data'],
    ['shoal mount -f train.shoal /mnt/data', 'until Ctrl-C'],
    ['shoal mount train.shoal /mnt/data -o allow_other,umask=022', 'for all users of the machine'],
    ['shoal mount base.shoal fixes.shoal /mnt/data', 'both as one tree; of the same path, that of fixes'],
    ['shoal mount train.shoal /mnt/cats -o subdir=images/cats', 'a directory of the image'],
    ['shoal mount train.shoal /mnt/data --metrics /var/lib/node_exporter/train.prom', 'for the textfile collector'],
    ['shoal mount train.shoal /mnt/data --lease $$', 'until this shell ends'],
    ['shoal mount train.shoal /mnt/data -o timeout=600', 'until nobody has used it for ten minutes'],
    ['mount -t fuse.shoal /data/train.shoal /mnt/data', 'as root, or the same in /etc/fstab'],
    ["unshare -Urm sh -c 'shoal mount train.shoal /mnt --lease $$ && ls /mnt'", 'without root or fusermount3'],
  ])
    .usage('[options] <image...> <dir>')
    .argument(
      '<image...>',
      'indexes, NAME.shoal, and behind them <dir>, an empty directory; of several images, which are shown as one tree, later ones win',
    )
    .option('-f, --foreground', 'serve from this process, until it is told to stop or the mount is taken away')
    .option('-o, --options <list>', 'mount options, comma-separated; may be repeated', joinLists)
    .option('--log <file>', 'file to which damage that reading meets is appended; with -f it goes to standard error')
    .option(
      '--lease <pid>',
      'unmount when this process has ended, and all others that a lease was taken for',
      parseProcessId,
    )
    .option(
      '--metrics <file>',
      "file that tells in Prometheus' text format what the mount does; written anew every 10 s",
    )
    .addHelpText('after', notes);
  return addCommonOptions(command).action(async (operands: readonly string[], options: MountCommandOptions) => {
    const images = operands.slice(0, -1);
    const directory = argumentBytes(operands.at(-1) as string);
    if (images.length === 0) {
      await tellFailure(options.options ?? '');
      command.error("error: missing required argument 'dir'");
    }
    await withImageArguments(images, (files) => mount(files, directory, options));
  });
}

/** What `notify_pipe` is promised where the command line itself is mistaken, so that nothing is begun. */
export async function tellMistakenMount(args: readonly string[]): Promise<void> {
  const lists = args.flatMap((argument, at) => {
    if (argument === '-o' || argument === '--options') return args[at + 1] ?? [];
    return /^(?:-o|--options=)(?<list>.+)$/s.exec(argument)?.groups?.['list'] ?? [];
  });
  await tellFailure(lists.join(','));
}

async function tellFailure(list: string): Promise<void> {
  const { findNotifyPipe } = await import('../../mount/mount-options.ts');
  const { notifyFailure } = await import('../../mount/mount-image.ts');
  const fifo = findNotifyPipe(argumentBytes(list));
  if (fifo !== undefined) notifyFailure(fifo);
}

function joinLists(list: string, before: string | undefined): string {
  return before === undefined ? list : `${before},${list}`;
}

async function mount(images: readonly Buffer[], directory: Buffer, options: MountCommandOptions): Promise<void> {
  const { mountImage, serveInForeground } = await import('../../mount/mount-image.ts');
  const mountOptions = await lifeOptions(options);
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

async function lifeOptions(given: MountCommandOptions): Promise<LifeOptions> {
  const { options = '', lease, log, metrics, foreground } = given;
  const { parseMountOptions } = await import('../../mount/mount-options.ts');
  try {
    if (foreground && log !== undefined) {
      throw new ShoalError('usage', 'expected --log without -f: a server in the foreground tells standard error');
    }
    return {
      ...parseMountOptions(argumentBytes(options)),
      ...(metrics !== undefined && { metrics: argumentBytes(metrics) }),
      ...(lease !== undefined && { lease }),
    };
  } catch (error) {
    await tellFailure(options);
    throw error;
  }
}

/** Where others mounted, standard error is theirs, too: in a container, that of whatever runs in it. */
function reportReady(directory: Buffer, options: CommonOptions): void {
  if (options.json)
    standardOutput.writeJson({ ...byteFields('directory', directory), already: false, pid: process.pid });
  else if (!options.quiet && mountDescriptor(directory) === undefined)
    printMessage(`shoal: mount: ready on ${showBytes(directory)}; Ctrl-C ends it`);
  standardOutput.flush();
}
