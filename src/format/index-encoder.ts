import { ShoalError } from '../base/errors.ts';
import { encodeAttributes } from './attributes.ts';
import { encodeChecksums } from './checksums.ts';
import type { IndexColumns } from './columns.ts';
import * as format from './constants.ts';
import { encodeDirectories } from './directories.ts';
import { encodeEntries } from './entries.ts';
import { encodeExtents } from './extents.ts';
import { encodeFrames } from './frames.ts';
import { encodeHash } from './hash.ts';
import { ImageIdHash } from './image-id.ts';
import { IndexLayout } from './index-layout.ts';
import { encodeLinkTargets } from './link-targets.ts';
import { encodeMetadata, type Metadata } from './metadata.ts';
import { checkNames, encodeNameGroups, encodeNames } from './names.ts';
import { encodePieces } from './pieces.ts';
import type { Section, StreamedSection } from './section.ts';
import { encodeVolumes, type Volume } from './volumes.ts';
import { encodeWide } from './wide.ts';
import { encodeXattrs } from './xattrs.ts';

/**
 * Encodes an index part by part, so that little of it is in memory at a time. In this order: all that {@link catalogue} yields, then all of {@link end},
 * stand one after the other in the file; then {@link header} is written over its first bytes. Each part is valid until the next one is asked for; some share the columns' memory.
 */
export class IndexEncoder {
  readonly #layout = new IndexLayout();
  #id: Buffer | undefined;

  /** Sections 2 to 12, and room for the header: what an index says of its entries, wherever the volumes lie. Throws `internal` if the columns contradict docs/FORMAT.md, `unsupported` if they are too large for it. */
  *catalogue(columns: IndexColumns): Generator<Uint8Array> {
    const entries = columns.parents.length;
    if (entries === 0 || entries > format.maxEntries)
      throw new ShoalError('unsupported', `expected 1 to ${format.maxEntries} entries, found ${entries}`);
    checkNames(columns);
    const hash = new ImageIdHash();
    yield* this.#layout.begin();
    for (const section of sectionsOf(columns)) {
      const { name, count } = section;
      const { length, parts } = streamed(section);
      yield* this.#layout.add(name, count, length, hash.section(name, length, parts));
    }
    this.#id = hash.digest();
  }

  /** Of the image; known when all of {@link catalogue} was taken. */
  get id(): Buffer {
    if (this.#id === undefined)
      throw new ShoalError('internal', 'expected the entries of an index encoded before its id is asked for');
    return this.#id;
  }

  /** All the rest. The column `volumes` counts `volumes`. */
  *end(volumes: readonly Volume[], metadata: Metadata): Generator<Uint8Array> {
    for (const section of [
      encodeVolumes(volumes),
      encodeMetadata(metadata),
      encodePieces(volumes),
      encodeFrames(volumes),
    ])
      yield* this.#layout.add(section.name, section.count, section.bytes.length, [section.bytes]);
    yield* this.#layout.end();
  }

  /** Known at the end. */
  header(): Uint8Array {
    return this.#layout.header(this.id);
  }

  /** Bytes so far; at the end, of the whole index. */
  get length(): number {
    return this.#layout.length;
  }
}

/** One by one, so that each can be freed when it is written. */
function* sectionsOf(columns: IndexColumns): Generator<Section | StreamedSection> {
  const extents = encodeExtents(columns);
  yield encodeEntries(columns, extents);
  yield encodeNames(columns);
  yield encodeNameGroups(columns);
  yield encodeHash(columns);
  yield encodeAttributes(columns);
  yield encodeXattrs(columns);
  yield encodeLinkTargets(columns);
  yield encodeDirectories(columns);
  yield extents.section;
  yield encodeChecksums(columns);
  yield encodeWide(columns);
}

function streamed(section: Section | StreamedSection): Pick<StreamedSection, 'length' | 'parts'> {
  return 'parts' in section ? section : { length: section.bytes.length, parts: [section.bytes] };
}
