import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { type Random, seededRandom } from './random.ts';
import { textWriter } from './text.ts';

export interface DataSet {
  readonly name: string;
  /** Names the data set among others, in a file's name. */
  readonly id: string;
  /** The directory that is packed; or a tar to be indexed, for trees that nobody made. */
  readonly source: string;
  /** A file with the paths of files in `source`, each ended by NUL: of all, or evenly drawn from a million and more. Empty: nobody asks for some of them. */
  readonly paths: string;
  readonly files: number;
  readonly directories: number;
  /** Content of all files. */
  readonly bytes: number;
}

const SEED = 20_240_601;
const FILES_PER_DIRECTORY = 500;
const POOL_LENGTH = 1 << 24;
/** 2024-06-01T00:00:00Z, the newest modification time of a data set. */
const NEWEST = 1_717_200_000;

/** What a file holds, by its number. */
type Content = (file: number) => Buffer;

/** The data set of the design: files of 2 to 10 kB (6 kB on average) that do not compress, named by 20 bytes, 500 in a directory. */
export function smallFiles(work: string, files: number): DataSet {
  return directoriesOf500(work, `files-${files}`, `${files} files of 6 kB`, files, (random) =>
    incompressible(random, 2000, 8001),
  );
}

/** The same with files of 0.5 to 2.5 kB: of a million, the tree and what is packed of it fit into page caches that those of 6 kB do not fit into. */
export function tinyFiles(work: string, files: number): DataSet {
  return directoriesOf500(work, `tiny-${files}`, `${files} files of 1.5 kB`, files, (random) =>
    incompressible(random, 500, 2001),
  );
}

/** The data set of the design, but its files hold text. */
export function textFiles(work: string, files: number): DataSet {
  return directoriesOf500(work, `text-${files}`, `${files} files of 6 kB of text`, files, (random) => {
    const write = textWriter(random);
    return () => write(2000 + random.below(8001));
  });
}

/** Files in directories of 500, made once below `work` and used again by later runs. */
function directoriesOf500(
  work: string,
  id: string,
  name: string,
  files: number,
  contentOf: (random: Random) => Content,
): DataSet {
  const directories = Math.ceil(files / FILES_PER_DIRECTORY);
  return cached(join(work, id), (tree) => {
    const random = seededRandom(SEED);
    const contentAt = contentOf(random);
    const paths: string[] = [];
    let bytes = 0;
    for (let directory = 0; directory < directories; directory++) {
      const below = `d${String(directory).padStart(5, '0')}`;
      mkdirSync(join(tree, below));
      for (let file = directory; file < files; file += directories) {
        const path = `${below}/img_${String(file).padStart(11, '0')}.jpeg`;
        const content = contentAt(file);
        const time = NEWEST - random.below(10_000_000);
        writeFileSync(join(tree, path), content);
        utimesSync(join(tree, path), time, time);
        paths.push(path);
        bytes += content.length;
      }
      utimesSync(join(tree, below), NEWEST, NEWEST);
    }
    return { name, paths, directories, bytes };
  });
}

function incompressible(random: Random, least: number, range: number): Content {
  const pool = randomPool();
  return (file) => {
    const length = least + random.below(range);
    const start = random.below(POOL_LENGTH - length);
    const content = Buffer.from(pool.subarray(start, start + length));
    content.writeUInt32LE(file, 0); // no two files are equal
    return content;
  };
}

/** A tree that the machine has anyway, as it is. */
export function standingTree(source: string): DataSet {
  const found = readdirSync(source, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => !entry.isDirectory());
  const bytes = files.reduce((sum, { parentPath, name }) => sum + lstatSync(join(parentPath, name)).size, 0);
  const id = source.slice(1).replaceAll('/', '-');
  const directories = found.length - files.length;
  return { name: `${source} (${files.length} files)`, id, source, paths: '', files: files.length, directories, bytes };
}

/** One file of `length` bytes (a whole number of MiB), `large.bin`. */
export function largeFile(work: string, length: number): DataSet {
  return cached(join(work, `large-${length}`), (tree) => {
    const pool = randomPool();
    const file = openSync(join(tree, 'large.bin'), 'wx');
    for (let at = 0; at < length; at += 1 << 20) {
      const start = (at / 7) % (POOL_LENGTH - (1 << 20));
      writeSync(file, pool, Math.floor(start), Math.min(1 << 20, length - at), at);
    }
    closeSync(file);
    return {
      name: `one file of ${Math.round(length / 2 ** 20)} MiB`,
      paths: ['large.bin'],
      directories: 0,
      bytes: length,
    };
  });
}

interface Made {
  readonly name: string;
  readonly paths: readonly string[];
  readonly directories: number;
  readonly bytes: number;
}

/** What `make` made in an earlier run, else what it makes now. A directory stands under its name only when it is complete. */
function cached(directory: string, make: (tree: string) => Made): DataSet {
  const facts = join(directory, 'data-set.json');
  if (!existsSync(facts)) {
    const unfinished = `${directory}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(join(unfinished, 'tree'), { recursive: true });
    const { paths, ...made } = make(join(unfinished, 'tree'));
    utimesSync(join(unfinished, 'tree'), NEWEST, NEWEST);
    writeFileSync(join(unfinished, 'paths'), paths.map((path) => `${path}\0`).join(''));
    writeFileSync(join(unfinished, 'data-set.json'), JSON.stringify({ ...made, files: paths.length }));
    renameSync(unfinished, directory);
  }
  return {
    ...JSON.parse(readFileSync(facts, 'utf8')),
    id: basename(directory),
    source: join(directory, 'tree'),
    paths: join(directory, 'paths'),
  };
}

function randomPool(): Buffer {
  const pool = Buffer.alloc(POOL_LENGTH);
  seededRandom(SEED).fill(pool);
  return pool;
}
