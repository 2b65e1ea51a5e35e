import type { Entry, IndexReader } from '../index.ts';
import { modeText } from './mode-text.ts';
import { shortTime } from './time-text.ts';

/** Lines of `ls -l`. The entries are gone through once before, for the width of the columns: the index is quicker to read twice than a directory of a million to keep. */
export class LongLines {
  readonly #index: IndexReader;
  readonly #shown: (bytes: Buffer) => Buffer;
  readonly #widths: number[] = [0, 0, 0, 0];

  /** `shown` makes names fit to be printed. */
  constructor(index: IndexReader, entries: Iterable<Entry>, shown: (bytes: Buffer) => Buffer) {
    this.#index = index;
    this.#shown = shown;
    for (const entry of entries) {
      for (const [column, cell] of numberCells(index.resolve(entry.number)).entries())
        this.#widths[column] = Math.max(this.#widths[column] ?? 0, cell.length);
    }
  }

  line(entry: Entry, name: Buffer): Buffer {
    const told = this.#index.resolve(entry.number);
    const numbers = numberCells(told).map((cell, column) => cell.padStart(this.#widths[column] ?? 0));
    const parts = [
      Buffer.from(`${modeText(told.mode)} ${numbers.join(' ')} ${shortTime(told.seconds)} `),
      this.#shown(name),
    ];
    if (told.kind === 'symlink') parts.push(Buffer.from(' -> '), this.#shown(this.#index.linkTarget(told)));
    return Buffer.concat(parts);
  }
}

/** Links, owner, group, and size or device number. */
function numberCells({ nlink, uid, gid, kind, size, deviceMajor, deviceMinor }: Entry): string[] {
  const device = kind === 'character' || kind === 'block';
  return [String(nlink), String(uid), String(gid), device ? `${deviceMajor}, ${deviceMinor}` : String(size)];
}
