import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { DataSet } from './data-set.ts';

/** What a synthetic tar holds: `files` empty files below a root directory of at most a few dozen names. */
export interface Layout {
  readonly files: number;
  /** Files in a directory; all of them in one where it is `files`. */
  readonly perDirectory: number;
  /** A symbolic link to each file, in a directory of links that is as large. */
  readonly links?: boolean;
  /** Bytes of each file, at most 512. */
  readonly length?: number;
}

const BLOCK = 512;
/** Directories in a directory. */
const BRANCHES = 500;
/** So many paths, evenly drawn from all, are enough to ask for at random. */
const MOST_PATHS = 200_000;

const made = new Map<string, DataSet>();

/**
 * A tar without the files that it seems to be made of, to be indexed: trees of ten million files that nobody has to create. Names have 20
 * bytes. It is made once in `directory`, for the caller to remove: 512 bytes an entry, and as much for content.
 */
export function syntheticTar(directory: string, { files, perDirectory, links = false, length = 0 }: Layout): DataSet {
  const kind = length === 0 ? 'empty files' : `files of ${length} bytes`;
  const name = `${files} ${links ? 'links to ' : ''}${kind}, ${files === perDirectory ? 'all in one directory' : `${perDirectory} in a directory`}`;
  const id = `synthetic-${files}-${perDirectory}${links ? '-links' : ''}${length === 0 ? '' : `-${length}`}`;
  const source = join(directory, `${id}.tar`);
  const before = made.get(source);
  if (before !== undefined) return before;
  mkdirSync(directory, { recursive: true });
  const tar = new HeaderFile(source, length);
  const stride = Math.ceil(files / MOST_PATHS);
  const paths: string[] = [];
  let directories = 0;
  let below = '';
  for (let file = 0; file < files; file++) {
    if (file % (perDirectory * BRANCHES) === 0) {
      tar.add(`${topOf(file)}/`, '5');
      directories++;
    }
    if (file % perDirectory === 0) {
      below = `${topOf(file)}/d${padded(Math.floor(file / perDirectory) % BRANCHES, 3)}`;
      tar.add(`${below}/`, '5');
      if (links) tar.add(`${below}/links/`, '5');
      directories += links ? 2 : 1;
    }
    const leaf = `img_${padded(file, 11)}.jpeg`;
    tar.add(`${below}/${leaf}`, '0');
    if (length > 0) tar.addContent(leaf);
    if (links) tar.add(`${below}/links/${leaf}`, '2', `../${leaf}`);
    if (file % stride === 0) paths.push(links ? `${below}/links/${leaf}` : `${below}/${leaf}`);
  }
  tar.close();
  const list = join(directory, `${id}.paths`);
  writeFileSync(list, paths.map((path) => `${path}\0`).join(''));
  const dataSet = {
    name,
    id,
    source,
    paths: list,
    files: links ? 2 * files : files,
    directories,
    bytes: files * length,
  };
  made.set(source, dataSet);
  return dataSet;

  function topOf(file: number): string {
    return `t${padded(Math.floor(file / (perDirectory * BRANCHES)), 3)}`;
  }
}

/** Headers of a tar, each with at most a block behind it, written a thousand at a time. */
class HeaderFile {
  readonly #file: number;
  readonly #blocks = Buffer.alloc(1024 * BLOCK);
  readonly #templates = new Map<string, { readonly header: Buffer; readonly sum: number }>();
  readonly #contentLength: number;
  #length = 0;

  /** `contentLength` is that of all regular files. */
  constructor(path: string, contentLength: number) {
    if (contentLength > BLOCK) throw new Error(`expected at most ${BLOCK} bytes in a file, found ${contentLength}`);
    this.#file = openSync(path, 'wx');
    this.#contentLength = contentLength;
  }

  add(path: string, type: '0' | '2' | '5', target = ''): void {
    const { header, sum } = this.#template(type);
    if (path.length > 100 || target.length > 100)
      throw new Error(`expected at most 100 bytes, found ${path} → ${target}`);
    const block = this.#nextBlock();
    header.copy(block);
    const letters = put(block, path, 0) + put(block, target, 157);
    put(block, `${padded(sum + letters, 6, 8)}\0 `, 148);
  }

  /** Content of the file whose header came last: `text` and zeros. */
  addContent(text: string): void {
    put(this.#nextBlock().fill(0), text.slice(0, this.#contentLength), 0);
  }

  close(): void {
    this.#flush();
    writeSync(this.#file, Buffer.alloc(2 * BLOCK));
    closeSync(this.#file);
  }

  /** A header without its name, and the sum of its bytes with spaces for the checksum. */
  #template(type: string): { readonly header: Buffer; readonly sum: number } {
    const known = this.#templates.get(type);
    if (known !== undefined) return known;
    const header = Buffer.alloc(BLOCK);
    header.write(type === '5' ? '0000755\0' : '0000644\0', 100);
    const length = padded(type === '0' ? this.#contentLength : 0, 11, 8);
    header.write(`0000000\x000000000\x00${length}\x0014627400000\x00        `, 108);
    header.write(`${type}`, 156);
    header.write('ustar\x0000', 257);
    const template = { header, sum: header.reduce((sum, byte) => sum + byte, 0) };
    this.#templates.set(type, template);
    return template;
  }

  #nextBlock(): Buffer {
    if (this.#length === this.#blocks.length) this.#flush();
    this.#length += BLOCK;
    return this.#blocks.subarray(this.#length - BLOCK, this.#length);
  }

  #flush(): void {
    for (let at = 0; at < this.#length; ) at += writeSync(this.#file, this.#blocks, at, this.#length - at);
    this.#length = 0;
  }
}

/** Writes ASCII and returns the sum of its bytes. */
function put(block: Buffer, text: string, at: number): number {
  let sum = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    block[at + i] = code;
    sum += code;
  }
  return sum;
}

function padded(value: number, length: number, radix = 10): string {
  return value.toString(radix).padStart(length, '0');
}
