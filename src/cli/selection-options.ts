import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { showBytes } from '../base/entry-path.ts';
import type { Selection } from '../index.ts';
import { systemError } from '../io/system-error.ts';
import { argumentBytes } from './raw-arguments.ts';

/** Options that say which entries of the sources are packed. */
export interface SelectionOptions {
  readonly exclude?: readonly string[];
  readonly excludeFrom?: readonly string[];
  readonly filesFrom?: string;
  readonly null?: true;
  readonly oneFileSystem?: true;
  readonly skipUnreadable?: true;
}

export function addSelectionOptions(command: Command): Command {
  return command
    .option('--exclude <pattern>', 'leave out what matches, as .gitignore does; may be repeated', append)
    .option('--exclude-from <file>', 'patterns from a file, one a line; # begins a comment', append)
    .option('--files-from <file>', 'pack only the paths of this list, one a line; - is standard input')
    .option('--null', 'the paths of lists have a NUL behind them, as find -print0 writes it')
    .option('--one-file-system', 'pack directories on which other filesystems are mounted as empty ones')
    .option('--skip-unreadable', 'leave out what cannot be read or changes meanwhile, list it, and exit with 4');
}

/** Reads the files that the options name. */
export async function readSelection(options: SelectionOptions): Promise<Selection> {
  const { exclude = [], excludeFrom = [], filesFrom } = options;
  const fromFiles = await Promise.all(excludeFrom.map(readPatterns));
  const patterns = [...exclude.map(argumentBytes), ...fromFiles.flat()];
  return {
    ...(patterns.length > 0 && { exclude: patterns }),
    ...(filesFrom !== undefined && { files: await readList(filesFrom), nullSeparated: options.null === true }),
    oneFileSystem: options.oneFileSystem === true,
    skipUnreadable: options.skipUnreadable === true,
  };
}

function append(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

async function readPatterns(file: string): Promise<Buffer[]> {
  // Bytes stand for themselves in latin1.
  const lines = (await readList(file)).toString('latin1').split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => Buffer.from(line, 'latin1'));
}

async function readList(file: string): Promise<Buffer> {
  const path = argumentBytes(file);
  try {
    if (file !== '-') return await readFile(path);
    const parts: Buffer[] = [];
    for await (const part of process.stdin) parts.push(part as Buffer);
    return Buffer.concat(parts);
  } catch (error) {
    throw systemError('read the list', file === '-' ? 'standard input' : showBytes(path), error);
  }
}
