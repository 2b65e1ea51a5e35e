import * as format from './constants.ts';
import { getU64, set64, viewOf } from './little-endian.ts';
import { malformed, type Place } from './malformed.ts';
import type { Section } from './section.ts';

/** How the plain bytes of a compressed volume are divided (docs/FORMAT.md §4.14). */
export interface FrameGrid {
  readonly plainLength: number;
  readonly frameLength: number;
}

/** Where all frames of a volume lie. */
export interface Frames extends FrameGrid {
  /** Where each frame begins in the file, and where the last one ends. */
  readonly offsets: ArrayLike<number>;
}

/** Where the frames of a volume stand in the section. */
export interface FrameTable extends FrameGrid {
  /** Row of the first one. */
  readonly firstRow: number;
}

/** Of a frame in the file of its volume. */
export interface FramePlace {
  readonly offset: number;
  readonly length: number;
}

/** Bytes of a row, and of where a frame begins and ends. */
const rowLength = 8;
export const framePlaceLength = 2 * rowLength;

export function encodeFrames(volumes: readonly { readonly frames?: Frames | undefined }[]): Section {
  const rows = volumes.flatMap(({ frames }) =>
    frames === undefined ? [] : [frames.plainLength, frames.frameLength, ...Array.from(frames.offsets)],
  );
  const bytes = new Uint8Array(rows.length * rowLength);
  const view = viewOf(bytes);
  rows.forEach((row, i) => {
    set64(view, i * rowLength, row);
  });
  return { name: 'frames', count: rows.length, bytes };
}

/** Where in the section a row stands. */
export function frameRowAt(row: number): number {
  return row * rowLength;
}

/** The table of each volume, undefined of one that is not compressed. `read` gives bytes of the section, which has `rows` rows and begins at `place`. */
export function decodeFrameTables(
  volumes: readonly { readonly codec: number }[],
  rows: number,
  read: (at: number, length: number) => Uint8Array,
  place: Place,
): (FrameTable | undefined)[] {
  let next = 0;
  const tables = volumes.map(({ codec }, volume) => {
    if (codec !== format.codecZstd) return undefined;
    const at = frameRowAt(next);
    const view = viewOf(read(at, 2 * rowLength));
    const table = { plainLength: getU64(view, 0), frameLength: getU64(view, rowLength), firstRow: next + 2 };
    if (table.plainLength > format.maxNumber)
      throw malformed(place, `expected a length below 2^53, found ${table.plainLength}`, at);
    if (!isFrameLength(table.frameLength)) {
      const message = `expected frames of a power of two from ${format.minFrameLength} to ${format.maxFrameLength} bytes, found ${table.frameLength}`;
      throw malformed(place, message, at + rowLength);
    }
    const ends = Math.ceil(table.plainLength / table.frameLength) + 1;
    if (ends > rows - table.firstRow) {
      const message = `expected ${ends} places of frames of volume ${volume}, found room for ${rows - table.firstRow}`;
      throw malformed(place, message, at);
    }
    next = table.firstRow + ends;
    return table;
  });
  if (next === rows) return tables;
  const message = `expected the frames of all compressed volumes and nothing else, found ${rows - next} numbers more`;
  throw malformed(place, message, frameRowAt(next));
}

/** `bytes` are where the frame begins and ends; `place` is theirs. */
export function decodeFramePlace(bytes: Uint8Array, table: FrameTable, fileLength: number, place: Place): FramePlace {
  const view = viewOf(bytes);
  const offset = getU64(view, 0);
  const end = getU64(view, rowLength);
  const longest = table.frameLength + format.maxFrameGrowth;
  if (offset < end && end <= fileLength && end - offset <= longest) return { offset, length: end - offset };
  const expected = `a frame of 1 to ${longest} bytes within the ${fileLength} of its volume`;
  throw malformed(place, `expected ${expected}, found it from ${offset} to ${end}`);
}

function isFrameLength(length: number): boolean {
  return length >= format.minFrameLength && length <= format.maxFrameLength && Number.isInteger(Math.log2(length));
}
