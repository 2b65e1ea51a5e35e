import { isatty } from 'node:tty';
import type { Command } from 'commander';
import { showBytes } from '../../base/entry-path.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Entry, IndexReader } from '../../index.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { entryAt, joinPath } from '../entry-argument.ts';
import { entryDocument } from '../entry-document.ts';
import { withImageArgument } from '../image-argument.ts';
import { LongLines } from '../long-lines.ts';
import { argumentBytes } from '../raw-arguments.ts';
import { standardOutput } from '../standard-output.ts';

interface LsOptions extends CommonOptions {
  readonly long?: true;
  readonly recursive?: true;
}

export function lsCommand(): Command {
  const command = defineCommand('ls', 'list names in an image', [
    ['shoal ls train.shoal', 'names at the top'],
    ['shoal ls -l train.shoal images/cats', 'one directory with modes, owners, sizes and times'],
    ['shoal ls -R train.shoal', 'everything'],
    ['shoal ls -R --json train.shoal | jq .path', 'everything, one JSON document a line'],
  ])
    .argument('<image>', 'an index: NAME.shoal')
    .argument('[path]', 'a path within the image', '.')
    .option('-l, --long', 'show mode, links, owner, group, size, time and link target')
    .option('-R, --recursive', 'list directories below, too');
  return addCommonOptions(command).action((image: string, path: string, options: LsOptions) =>
    withImageArgument(image, (file) => list(file, argumentBytes(path), options)),
  );
}

async function list(image: Buffer, path: Buffer, options: LsOptions): Promise<void> {
  const { openIndex } = await import('../../index.ts');
  const index = openIndex(image);
  try {
    const entry = entryAt(index, path);
    const listing = new Listing(index, options);
    if (entry.kind === 'directory') listing.directory(entry, path);
    else listing.single(entry, path);
  } finally {
    index.close();
  }
}

/** A directory that waits to be listed, and how its path is shown. */
interface Waiting {
  readonly entry: Entry;
  readonly path: Buffer;
  readonly heading: Buffer;
}

/** Prints entries as they are read, so that a listing of any length needs little memory. */
class Listing {
  readonly #index: IndexReader;
  readonly #options: LsOptions;
  /** As ls does: names as they are for programs, harmless ones for people. */
  readonly #escape = isatty(1);

  constructor(index: IndexReader, options: LsOptions) {
    this.#index = index;
    this.#options = options;
  }

  single(entry: Entry, path: Buffer): void {
    if (this.#options.json) this.#document(entry, this.#index.entryPath(entry.number));
    else for (const line of this.#lines([entry], () => path)) standardOutput.writeLine(line);
  }

  directory(entry: Entry, heading: Buffer): void {
    if (this.#options.recursive) this.#recursively({ entry, path: this.#index.entryPath(entry.number), heading });
    else this.#children(entry, this.#index.entryPath(entry.number));
  }

  /** Each directory before those below it. A stack and not recursion: an image may be a million directories deep. */
  #recursively(top: Waiting): void {
    const stack: Iterator<Waiting>[] = [[top].values()];
    for (let first = true; stack.length > 0; ) {
      const next = stack.at(-1)?.next();
      if (next === undefined || next.done) {
        stack.pop();
        continue;
      }
      if (!this.#options.json) this.#heading(next.value.heading, first);
      first = false;
      this.#children(next.value.entry, next.value.path);
      stack.push(this.#directoriesIn(next.value));
    }
  }

  #heading(path: Buffer, first: boolean): void {
    if (!first) standardOutput.writeLine('');
    standardOutput.writeLine(Buffer.concat([this.#shown(path), Buffer.from(':')]));
  }

  *#directoriesIn({ entry, path, heading }: Waiting): Generator<Waiting> {
    for (const child of this.#index.children(entry)) {
      if (child.kind !== 'directory') continue;
      // In a made-up index directories that share their children would be listed again and again, without end.
      if (child.parent !== entry.number) throw this.#misplaced(child, entry);
      const name = this.#index.name(child.number);
      yield { entry: child, path: joinPath(path, name), heading: joinPath(heading, name) };
    }
  }

  #misplaced(child: Entry, directory: Entry): ShoalError {
    const message = `entry ${child.number}: expected ${directory.number} as the directory that it is in, found ${child.parent}`;
    return new ShoalError('malformed', message, { path: this.#index.path });
  }

  #children(directory: Entry, path: Buffer): void {
    if (this.#options.json) {
      for (const child of this.#index.children(directory))
        this.#document(child, joinPath(path, this.#index.name(child.number)));
      return;
    }
    const children = { [Symbol.iterator]: () => this.#index.children(directory) };
    for (const line of this.#lines(children, (child) => this.#index.name(child.number))) standardOutput.writeLine(line);
  }

  #document(entry: Entry, path: Buffer): void {
    standardOutput.writeJson(entryDocument(this.#index, entry, path));
  }

  *#lines(entries: Iterable<Entry>, name: (entry: Entry) => Buffer): Generator<Buffer> {
    const long = this.#options.long ? new LongLines(this.#index, entries, (bytes) => this.#shown(bytes)) : undefined;
    for (const entry of entries) yield long === undefined ? this.#shown(name(entry)) : long.line(entry, name(entry));
  }

  #shown(bytes: Buffer): Buffer {
    return this.#escape ? Buffer.from(showBytes(bytes)) : bytes;
  }
}
