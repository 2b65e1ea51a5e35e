import type { Command } from 'commander';
import { showBytes } from '../../base/entry-path.ts';
import { ShoalError } from '../../base/errors.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { forEachPath } from '../each-path.ts';
import { withImageArgument } from '../image-argument.ts';
import { standardOutput } from '../standard-output.ts';

export function catCommand(): Command {
  const command = defineCommand('cat', 'print the content of files', [
    ['shoal cat train.shoal README.md', 'every byte is checked before it is written'],
    ['shoal cat train.shoal labels.csv | head', 'only what is read is unpacked'],
  ])
    .argument('<image>', 'an index: NAME.shoal')
    .argument('<path...>', 'files within the image; symbolic links are followed within it');
  return addCommonOptions(command).action((image: string, paths: string[], options: CommonOptions) =>
    withImageArgument(image, (file) => concatenate(file, paths, options)),
  );
}

async function concatenate(image: Buffer, paths: readonly string[], options: CommonOptions): Promise<void> {
  const { followPath } = await import('../../image/follow-path.ts');
  const { openImage } = await import('../../index.ts');
  const opened = openImage(image);
  try {
    forEachPath('cat', paths, options, (path) => {
      const entry = followPath(opened.index, path);
      if (entry.kind !== 'file') {
        throw new ShoalError(
          'unsupported',
          `expected a file at "${showBytes(path)}", found a ${entry.kind}; only files have content`,
          { path: opened.index.path },
        );
      }
      for (const piece of opened.file(entry).stream()) standardOutput.write(piece);
    });
  } finally {
    opened.close();
  }
}
