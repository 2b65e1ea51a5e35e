import type { EntryProblem } from '../image/entry-problem.ts';
import { lstatOf } from './check-request.ts';
import { byPath, type RemovedOnce, type RemovedSources, tellNotEmpty } from './source-removal.ts';

/** Unit of `blocks`, stat(2), in bytes. */
const statBlock = 512n;

/** What removing slice after slice comes to. */
export class SliceRemovals {
  #entries = 0;
  #inodes = 0;
  #bytes = 0;
  /** By path, a character for each byte. */
  readonly #kept = new Map<string, EntryProblem>();
  readonly #notEmpty = new Map<string, Buffer>();

  add({ entries, inodes, bytes, kept, notEmpty }: RemovedOnce): void {
    this.#entries += entries;
    this.#inodes += inodes;
    this.#bytes += bytes;
    for (const problem of kept) this.#kept.set(textOf(problem.path), problem);
    for (const path of notEmpty) this.#notEmpty.set(textOf(path), path);
  }

  /** What files take, in bytes, that are in the image and stay all the same. */
  async keptBytes(): Promise<number> {
    let blocks = 0n;
    for (const { path } of this.#kept.values()) {
      const there = await lstatOf(path);
      if (there?.isFile()) blocks += there.blocks;
    }
    return Number(blocks * statBlock);
  }

  /** What a slice could not remove, a later one may have: a directory, when it is empty. */
  async total(): Promise<RemovedSources> {
    const kept = await stillThere([...this.#kept.values()]);
    const notEmpty = await stillThere([...this.#notEmpty.values()].map(tellNotEmpty));
    // Why a directory stays is told once, for what is deepest.
    const explained = new Set([...kept, ...notEmpty].flatMap(({ path }) => directoriesAbove(path)));
    const unexplained = notEmpty.filter(({ path }) => !explained.has(textOf(path)));
    return {
      entries: this.#entries,
      inodes: this.#inodes,
      bytes: this.#bytes,
      kept: [...kept, ...unexplained].toSorted(byPath),
    };
  }
}

async function stillThere(problems: readonly EntryProblem[]): Promise<EntryProblem[]> {
  const there: EntryProblem[] = [];
  for (const problem of problems) if ((await lstatOf(problem.path)) !== undefined) there.push(problem);
  return there;
}

function directoriesAbove(path: Buffer): string[] {
  const above: string[] = [];
  for (let text = textOf(path); text.includes('/'); ) {
    text = text.slice(0, text.lastIndexOf('/'));
    above.push(text);
  }
  return above;
}

function textOf(path: Buffer): string {
  return path.toString('latin1');
}
