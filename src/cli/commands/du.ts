import { isatty } from 'node:tty';
import type { Command } from 'commander';
import { showBytes } from '../../base/entry-path.ts';
import { formatSize } from '../../base/sizes.ts';
import type { Entry, IndexReader } from '../../index.ts';
import { byteFields } from '../byte-fields.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { entryAt, joinPath } from '../entry-argument.ts';
import { withImageArgument } from '../image-argument.ts';
import { argumentBytes } from '../raw-arguments.ts';
import { standardOutput } from '../standard-output.ts';

export function duCommand(): Command {
  const command = defineCommand('du', 'count bytes and entries below directories', [
    ['shoal du train.shoal', 'size, entries and path of each directory at the top, and of all'],
    ['shoal du train.shoal images | sort -h', 'the largest last'],
  ])
    .argument('<image>', 'an index: NAME.shoal')
    .argument('[path]', 'a directory within the image', '.');
  return addCommonOptions(command).action((image: string, path: string, options: CommonOptions) =>
    withImageArgument(image, (file) => sum(file, argumentBytes(path), options)),
  );
}

async function sum(image: Buffer, path: Buffer, options: CommonOptions): Promise<void> {
  const { openIndex } = await import('../../index.ts');
  const index = openIndex(image);
  try {
    const top = entryAt(index, path);
    const topPath = index.entryPath(top.number);
    const print = options.json ? printDocument : printLine;
    if (top.kind === 'directory') {
      for (const child of index.children(top)) {
        if (child.kind === 'directory') print(joinPath(topPath, index.name(child.number)), index.totals(child));
      }
    }
    print(topPath.length === 0 ? Buffer.from('.') : topPath, totalsOf(index, top));
  } finally {
    index.close();
  }
}

interface Totals {
  readonly bytes: number;
  readonly entries: number;
}

/** What lies below a directory; of anything else its own size. */
function totalsOf(index: IndexReader, entry: Entry): Totals {
  return entry.kind === 'directory' ? index.totals(entry) : { bytes: index.resolve(entry.number).size, entries: 0 };
}

function printDocument(path: Buffer, { bytes, entries }: Totals): void {
  standardOutput.writeJson({ ...byteFields('path', path), bytes, entries });
}

/** Columns stand apart by tabs, as those of du. */
function printLine(path: Buffer, { bytes, entries }: Totals): void {
  const shown = isatty(1) ? Buffer.from(showBytes(path)) : path;
  standardOutput.writeLine(Buffer.concat([Buffer.from(`${formatSize(bytes)}\t${entries}\t`), shown]));
}
