import { ShoalError } from '../base/errors.ts';
import { encodeAttributes } from './attributes.ts';
import { encodeBlocks } from './blocks.ts';
import { encodeChecksums } from './checksums.ts';
import type { IndexColumns } from './columns.ts';
import * as format from './constants.ts';
import { crc32c } from './crc32c.ts';
import { encodeDirectories } from './directories.ts';
import { encodeEntries } from './entries.ts';
import { encodeExtents } from './extents.ts';
import { encodeFrames } from './frames.ts';
import { encodeHash } from './hash.ts';
import { encodeHeader, type SectionPlace } from './header.ts';
import { imageId } from './image-id.ts';
import { encodeLinkTargets } from './link-targets.ts';
import { encodeMetadata, type Metadata } from './metadata.ts';
import { checkNames, encodeNameGroups, encodeNames } from './names.ts';
import { encodePieces } from './pieces.ts';
import { requiredSections, type Section } from './section.ts';
import { encodeVolumes, type Volume } from './volumes.ts';
import { encodeWide } from './wide.ts';
import { encodeXattrs } from './xattrs.ts';

/** All that stands in an index. */
export interface IndexSource {
  readonly columns: IndexColumns;
  /** What the column `volumes` counts. */
  readonly volumes: readonly Volume[];
  readonly metadata: Metadata;
}

/** Sections 2 to 12 and the id over them: what an index says of its entries, wherever the volumes lie. */
export interface EncodedCatalogue {
  readonly id: Buffer;
  readonly sections: readonly Section[];
}

/** The bytes of an index, in parts to be written one after the other; some share the columns' memory. */
export interface IndexBytes {
  readonly id: Buffer;
  readonly length: number;
  readonly parts: readonly Uint8Array[];
}

/** Encodes a whole index. Where the volume's bytes depend on the id, call {@link encodeCatalogue} and {@link assembleIndex} instead. */
export function writeIndex({ columns, volumes, metadata }: IndexSource): IndexBytes {
  return assembleIndex(encodeCatalogue(columns), volumes, metadata);
}

/** Encodes the entries. Throws `internal` if the columns contradict docs/FORMAT.md, `unsupported` if they are too large for it. */
export function encodeCatalogue(columns: IndexColumns): EncodedCatalogue {
  const entries = columns.parents.length;
  if (entries === 0 || entries > format.maxEntries) {
    throw new ShoalError('unsupported', `expected 1 to ${format.maxEntries} entries, found ${entries}`);
  }
  checkNames(columns);
  const extents = encodeExtents(columns);
  const table = encodeEntries(columns, extents);
  const sections = [
    table,
    encodeNames(columns),
    encodeNameGroups(columns),
    encodeHash(columns),
    encodeAttributes(columns),
    encodeXattrs(columns),
    encodeLinkTargets(columns),
    encodeDirectories(columns, new Uint32Array(table.bytes.buffer)),
    extents.section,
    encodeChecksums(columns),
    encodeWide(columns),
  ];
  return { id: imageId(sections), sections };
}

/** Adds volumes and metadata, lays the sections out and computes the checksums. */
export function assembleIndex(catalogue: EncodedCatalogue, volumes: readonly Volume[], metadata: Metadata): IndexBytes {
  const described = [encodeVolumes(volumes), encodeMetadata(metadata), encodePieces(volumes), encodeFrames(volumes)];
  return layOut(catalogue.id, [...catalogue.sections, ...described]);
}

/** Header, `sections` in order of kind, block table. */
export function layOut(id: Buffer, sections: readonly Section[]): IndexBytes {
  const body: Uint8Array[] = [];
  const places: SectionPlace[] = [];
  let offset = format.headerLength;
  const align = () => {
    const padding = -offset & (format.sectionAlignment - 1);
    if (padding > 0) body.push(new Uint8Array(padding));
    offset += padding;
  };
  for (const section of sections) {
    if (section.count === 0 && !requiredSections.includes(section.name)) continue;
    align();
    places.push({ name: section.name, offset, length: section.bytes.length, count: section.count });
    body.push(section.bytes);
    offset += section.bytes.length;
  }
  align();
  const blocks = encodeBlocks(body);
  places.unshift({ name: 'blocks', offset, length: blocks.bytes.length, count: blocks.count });
  const length = offset + blocks.bytes.length;
  const header = encodeHeader({ id, fileLength: length, blockTableChecksum: crc32c(blocks.bytes), sections: places });
  return { id, length, parts: [header, ...body, blocks.bytes] };
}
