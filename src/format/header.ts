import { ShoalError } from '../base/errors.ts';
import { blockCount } from './blocks.ts';
import * as format from './constants.ts';
import { crc32c } from './crc32c.ts';
import { entriesLength } from './entries.ts';
import { slotLayout } from './hash.ts';
import { getU64, set64, viewOf } from './little-endian.ts';
import { malformed } from './malformed.ts';
import { nameGroupCount } from './names.ts';
import {
  essentialSections,
  requiredSections,
  rowLengths,
  type SectionName,
  sectionKinds,
  sectionNames,
} from './section.ts';

/** Offsets of the header's fields, docs/FORMAT.md §3. */
const fields = {
  major: 8,
  minor: 10,
  headerLength: 12,
  fileLength: 16,
  blockSize: 24,
  sectionCount: 28,
  id: 32,
  features: 48,
  blockTableChecksum: 56,
  headerChecksum: 60,
  sections: 64,
} as const;

/** A row of the section directory. */
export interface SectionPlace {
  readonly name: SectionName;
  readonly offset: number;
  readonly length: number;
  readonly count: number;
}

export interface Header {
  /** Of the format; whatever it is, it can be read. */
  readonly minor: number;
  readonly id: Buffer;
  readonly fileLength: number;
  readonly blockTableChecksum: number;
  /** In order of kind. */
  readonly sections: readonly SectionPlace[];
}

export function encodeHeader(header: Omit<Header, 'minor'>): Uint8Array {
  const bytes = new Uint8Array(format.headerLength);
  const view = viewOf(bytes);
  bytes.set(format.magic);
  view.setUint16(fields.major, format.major, true);
  view.setUint16(fields.minor, header.sections.some(({ name }) => name === 'frames') ? format.minor : 0, true);
  view.setUint32(fields.headerLength, format.headerLength, true);
  set64(view, fields.fileLength, header.fileLength);
  view.setUint32(fields.blockSize, format.blockSize, true);
  view.setUint32(fields.sectionCount, header.sections.length, true);
  bytes.set(header.id, fields.id);
  view.setUint32(fields.blockTableChecksum, header.blockTableChecksum, true);
  header.sections.forEach((section, row) => {
    const at = fields.sections + row * format.sectionRowLength;
    view.setUint32(at, sectionKinds[section.name], true);
    view.setUint32(at + 4, essentialSections.includes(section.name) ? format.sectionEssential : 0, true);
    set64(view, at + 8, section.offset);
    set64(view, at + 16, section.length);
    set64(view, at + 24, section.count);
  });
  view.setUint32(fields.headerChecksum, crc32c(bytes), true);
  return bytes;
}

/**
 * Checks and decodes the first bytes (at most 4 096) of a file of `fileLength` bytes; `path` is for errors. Throws in the order of
 * docs/FORMAT.md §3: `not-image`, `truncated`, `version`, `checksum`, `malformed`, `truncated`, `malformed`.
 */
export function decodeHeader(bytes: Uint8Array, fileLength: number, path: string): Header {
  if (bytes.length < format.magic.length || format.magic.some((byte, at) => bytes[at] !== byte)) {
    throw new ShoalError(
      'not-image',
      'expected the index of an image, found no magic number of one; give a file NAME.shoal',
      { path, offset: 0 },
    );
  }
  if (bytes.length < format.headerLength) {
    const message = `expected a header of ${format.headerLength} bytes, found ${bytes.length}; copy the index anew`;
    throw new ShoalError('truncated', message, { path, offset: bytes.length });
  }
  const view = viewOf(bytes);
  checkVersion(view, path);
  checkChecksum(bytes, view, path);
  return decodeChecked(bytes, view, fileLength, path);
}

function checkVersion(view: DataView, path: string): void {
  const major = view.getUint16(fields.major, true);
  if (major !== format.major) {
    const message = `expected version ${format.major} of the format, found ${major}; use a shoal that knows it`;
    throw new ShoalError('version', message, { path, offset: fields.major });
  }
  const features = view.getBigUint64(fields.features, true);
  if (features !== 0n) {
    const message = `expected no feature bits, found 0x${features.toString(16)}; use a newer shoal`;
    throw new ShoalError('version', message, { path, offset: fields.features });
  }
}

function checkChecksum(bytes: Uint8Array, view: DataView, path: string): void {
  const stored = view.getUint32(fields.headerChecksum, true);
  const zeroed = Uint8Array.from(bytes.subarray(0, format.headerLength));
  viewOf(zeroed).setUint32(fields.headerChecksum, 0, true);
  const computed = crc32c(zeroed);
  if (computed !== stored) throw checksumError('header', stored, computed, path, 0);
}

/** The error for a part of the index whose bytes are not those that were written. */
export function checksumError(
  what: string,
  stored: number,
  computed: number,
  path: string,
  offset: number,
): ShoalError {
  const message = `CRC32C of the ${what}: expected ${hex(stored)}, found ${hex(computed)}; the index is damaged, copy it anew or make it with "shoal index"`;
  return new ShoalError('checksum', message, { path, offset });
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}

function decodeChecked(bytes: Uint8Array, view: DataView, fileLength: number, path: string): Header {
  const place = { path, offset: 0 };
  const expectField = (at: number, what: string, expected: number, found: number) => {
    if (found !== expected) throw malformed(place, `expected ${what} ${expected}, found ${found}`, at);
  };
  expectField(
    fields.headerLength,
    'a header length of',
    format.headerLength,
    view.getUint32(fields.headerLength, true),
  );
  expectField(fields.blockSize, 'a block size of', format.blockSize, view.getUint32(fields.blockSize, true));
  const sectionCount = view.getUint32(fields.sectionCount, true);
  if (sectionCount > format.maxSections) {
    throw malformed(
      place,
      `expected at most ${format.maxSections} sections, found ${sectionCount}`,
      fields.sectionCount,
    );
  }
  const stored = getU64(view, fields.fileLength);
  if (fileLength < stored) {
    throw new ShoalError('truncated', `expected ${stored} bytes of index, found ${fileLength}; copy the index anew`, {
      path,
      offset: fileLength,
    });
  }
  expectField(fields.fileLength, 'an index length of', fileLength, stored);
  const sections = decodeSections(view, sectionCount, path);
  checkSections(sections, stored, path);
  return {
    minor: view.getUint16(fields.minor, true),
    id: Buffer.from(bytes.subarray(fields.id, fields.id + format.idLength)),
    fileLength,
    blockTableChecksum: view.getUint32(fields.blockTableChecksum, true),
    sections,
  };
}

/** The known rows of the section directory. */
function decodeSections(view: DataView, count: number, path: string): SectionPlace[] {
  const sections: SectionPlace[] = [];
  let before = -1;
  for (let row = 0; row < count; row++) {
    const at = fields.sections + row * format.sectionRowLength;
    const kind = view.getUint32(at, true);
    if (kind <= before)
      throw malformed({ path, offset: at }, `expected a section of a kind above ${before}, found kind ${kind}`);
    before = kind;
    const name = kind === 0 ? undefined : sectionNames[kind - 1];
    if (name !== undefined) {
      sections.push({
        name,
        offset: getU64(view, at + 8),
        length: getU64(view, at + 16),
        count: getU64(view, at + 24),
      });
    } else if (view.getUint32(at + 4, true) & format.sectionEssential) {
      const message = `expected sections of kind 1 to ${format.lastSection}, found kind ${kind}, which must be known; use a newer shoal`;
      throw new ShoalError('version', message, { path, offset: at });
    }
  }
  return sections;
}

function checkSections(sections: readonly SectionPlace[], fileLength: number, path: string): void {
  const place = { path, offset: fields.sections };
  const byName = new Map(sections.map((section) => [section.name, section]));
  for (const name of requiredSections) {
    if (!byName.has(name)) throw malformed(place, `expected a section "${name}", found none`);
  }
  const tableOffset = byName.get('blocks')?.offset ?? 0;
  const entries = byName.get('entries')?.count ?? 0;
  if (entries === 0 || entries > format.maxEntries) {
    throw malformed(place, `expected 1 to ${format.maxEntries} entries, found ${entries}`);
  }
  const counts: Partial<Record<SectionName, number>> = {
    blocks: blockCount(tableOffset),
    nameGroups: nameGroupCount(entries),
    hash: slotLayout(entries).buckets,
  };
  for (const { name, offset, length, count } of sections) {
    const alignment = name === 'entries' ? format.pageLength : format.sectionAlignment;
    if (offset % alignment !== 0)
      throw malformed(place, `expected section "${name}" at a multiple of ${alignment}, found ${offset}`);
    const end = name === 'blocks' ? fileLength : tableOffset;
    if (offset < format.headerLength || offset + length > end || (name === 'blocks' && offset + length !== end)) {
      throw malformed(
        place,
        `expected section "${name}" between ${format.headerLength} and ${end}, found ${length} bytes at ${offset}`,
      );
    }
    if (counts[name] !== undefined && counts[name] !== count) {
      throw malformed(
        place,
        `expected ${counts[name]} rows in section "${name}" for ${entries} entries, found ${count}`,
      );
    }
    const rowLength = rowLengths[name];
    const expected = name === 'entries' ? entriesLength(count) : rowLength === undefined ? length : count * rowLength;
    if (length !== expected)
      throw malformed(place, `expected ${expected} bytes in section "${name}" for ${count} rows, found ${length}`);
  }
}
