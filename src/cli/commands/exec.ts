import type { Command } from 'commander';
import { isShoalError, ShoalError } from '../../base/errors.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { printError } from '../each-path.ts';
import { raiseExitStatus } from '../exit-status.ts';
import { withImageArgument } from '../image-argument.ts';
import { type ImageMountArgument, parseImageMount } from '../image-mount-argument.ts';
import { inheritedDescriptors } from '../inherited-descriptors.ts';
import { argumentBytes, rawArguments } from '../raw-arguments.ts';

interface ExecOptions extends CommonOptions {
  readonly options?: string;
}

/** As shells and env(1) end where there is no such program, and where it cannot be run. */
const noSuchCommand = 127;
const cannotRun = 126;

const notes = `
The command alone sees the images, in a mount namespace that needs no privileges and ends with it. Without :DIR an image is on /mnt. Several
images on one directory are shown as one tree, of which later ones win. The exit status is that of the command; 127 if there is
no such program, 126 if it cannot be run.`;

export function execCommand(): Command {
  const command = defineCommand('exec', 'run a command that alone sees images as directories', [
    ['shoal exec train.shoal:/data -- python3 train.py', 'mounted on /data, for train.py only'],
    ['shoal exec train.shoal -- ls /mnt', 'without a directory: on /mnt'],
    ['shoal exec a.shoal:/data b.shoal:/data -- bash', 'both in one tree, of which b.shoal wins'],
  ])
    .usage('[options] <image[:dir]...> -- <command> [arg...]')
    .argument(
      '<image[:dir]...>',
      'indexes, and the directories on which to mount; dir may hold files, which are hidden',
    )
    .option('-o, --options <list>', 'uid=N, gid=N, umask=MODE; comma-separated, may be repeated', joinLists)
    .addHelpText('after', notes);
  return addCommonOptions(command).action((words: string[], options: ExecOptions) => {
    const { images, commandLine } = divide(words, rawArguments());
    return exec(
      images.map((image) => parseImageMount(image)),
      commandLine.map(argumentBytes),
      options,
    );
  });
}

function joinLists(list: string, before: string | undefined): string {
  return before === undefined ? list : `${before},${list}`;
}

/** `words` are those before and behind the `--`, which commander has taken out. */
function divide(words: readonly string[], args: readonly string[]): { images: string[]; commandLine: string[] } {
  const dashes = args.indexOf('--');
  const commandLine = dashes === -1 ? [] : args.slice(dashes + 1);
  const images = words.slice(0, words.length - commandLine.length);
  if (commandLine.length > 0 && images.length > 0) return { images, commandLine };
  throw new ShoalError(
    'usage',
    `expected IMAGE[:DIR]... -- COMMAND [ARG...], found no ${images.length === 0 ? 'image before' : 'command behind'} --\nTry: shoal exec --help`,
  );
}

async function exec(
  mounts: readonly ImageMountArgument[],
  commandLine: readonly Buffer[],
  options: ExecOptions,
): Promise<void> {
  const { parseMountOptions } = await import('../../mount/mount-options.ts');
  const { endAs, prepareCommand } = await import('../../mount/exec-in-images.ts');
  const mountOptions = parseMountOptions(argumentBytes(options.options ?? ''));
  const prepared = await withImageArguments(mounts, () =>
    prepareCommand(
      mounts.map(({ image, directory }) => ({
        image: argumentBytes(image),
        directory: directory === undefined ? undefined : argumentBytes(directory),
      })),
      commandLine,
      mountOptions,
      inheritedDescriptors(),
    ),
  );
  try {
    endAs(await prepared.run());
  } catch (error) {
    printError(error, 'exec', options);
    raiseExitStatus(isShoalError(error, 'missing') ? noSuchCommand : cannotRun);
  }
}

function withImageArguments<T>(mounts: readonly ImageMountArgument[], work: () => Promise<T>): Promise<T> {
  return mounts.reduce(
    (inner, { image }) =>
      () =>
        withImageArgument(image, inner),
    work,
  )();
}
