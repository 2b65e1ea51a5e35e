import { showBytes } from '../base/entry-path.ts';
import type { EntryProblem, PackPreview, PackSummary } from '../index.ts';
import { byteFields } from './byte-fields.ts';
import { countText } from './count-text.ts';
import { durationText } from './duration-text.ts';
import { printMessage } from './messages.ts';
import { problemDocuments, problemLines } from './problem-lines.ts';
import { sizeText } from './size-text.ts';

/** Lines of a list that are shown to a person; `--json` has all. */
const shownProblems = 100;

/** What is to be told on stderr, whatever was asked for: what the image lacks, and what of the sources stays. */
export function tellLeftOut({ unreadable, removed }: Pick<PackSummary, 'unreadable' | 'removed'>): void {
  tell('left out ', unreadable);
  tell('not removed: ', removed?.kept ?? []);
}

/** What else was met. */
export function tellNotices(found: Pick<PackSummary, 'skipped' | 'notices' | 'oversized' | 'strays'>): void {
  tell('skipped ', found.skipped);
  tell('', found.notices);
  tell('', found.oversized);
  if (found.strays.count > 0) printMessage(`shoal: pack: ${strayText(found.strays)}`);
}

function strayText({ first, count }: PackSummary['strays']): string {
  const named = first.map(showBytes).join(', ');
  const more = count > first.length ? `, and ${count - first.length} more` : '';
  return `--order: ${countText(count, 'path is', 'paths are')} no file of the image: ${named}${more}`;
}

function tell(verb: string, problems: readonly EntryProblem[]): void {
  for (const line of problemLines(problems.slice(0, shownProblems))) printMessage(`shoal: pack: ${verb}${line}`);
  const more = problems.length - shownProblems;
  if (more > 0) printMessage(`shoal: pack: ${verb}${more} more; --json lists all`);
}

/** `x.shoal: 6 entries, 10 bytes of content in an image of 9K; …`, closing the run. */
export function summaryLine(image: Buffer, result: PackSummary, milliseconds: number): string {
  const seconds = milliseconds / 1000;
  return [
    `${showBytes(image)}: ${countText(result.entries, 'entry', 'entries')}, ${sizeText(result.bytes)} of content in an image of ${sizeText(result.indexLength + result.volumeLength)}${detailsText(result)}`,
    `${durationText(milliseconds)}, ${Math.round(result.entries / seconds)} entries/s, ${sizeText(result.bytes / seconds)}/s`,
    `${countText(result.inodes, 'inode', 'inodes')} in ${result.volumes.length + 1} files${warningsText(result)}`,
  ].join('; ');
}

/** What `--remove-source` has done. */
export function removedLine({ entries, inodes, bytes }: NonNullable<PackSummary['removed']>): string {
  return `removed ${countText(entries, 'entry', 'entries')} of the sources: ${countText(inodes, 'inode', 'inodes')} and ${sizeText(bytes)} freed`;
}

function detailsText({ volumes, dedupedBytes }: PackSummary): string {
  const several = volumes.length > 1 ? ` in ${volumes.length} volumes` : '';
  return `${several}${dedupedBytes > 0 ? `, ${sizeText(dedupedBytes)} saved by copies` : ''}`;
}

function warningsText({ skipped, notices, unreadable, oversized }: PackSummary): string {
  const count = skipped.length + notices.length + unreadable.length + oversized.length;
  return count === 0 ? '' : `; ${countText(count, 'warning', 'warnings')}`;
}

export function packDocument(image: Buffer, result: PackSummary, milliseconds: number): object {
  return {
    ...byteFields('image', image),
    id: result.id,
    entries: result.entries,
    bytes: result.bytes,
    inodes: result.inodes,
    indexLength: result.indexLength,
    volumes: result.volumes.map(({ name, length }) => ({ ...byteFields('name', name), length })),
    volumeLength: result.volumeLength,
    dedupedBytes: result.dedupedBytes,
    nanoseconds: Math.round(milliseconds * 1e6),
    excluded: result.excluded,
    skipped: problemDocuments(result.skipped),
    notices: problemDocuments(result.notices),
    unreadable: problemDocuments(result.unreadable),
    oversized: problemDocuments(result.oversized),
    strays: { count: result.strays.count, first: result.strays.first.map((path) => byteFields('path', path)) },
    ...(result.removed && { removed: { ...result.removed, kept: problemDocuments(result.removed.kept) } }),
  };
}

/** What `--dry-run` says. */
export function previewLines(preview: PackPreview): string[] {
  const { kinds } = preview;
  const counts = [
    countText(kinds.files, 'file', 'files'),
    ...(kinds.aliases > 0 ? [`${countText(kinds.aliases, 'further name', 'further names')} of them`] : []),
    countText(kinds.directories, 'directory', 'directories'),
    ...(kinds.symbolicLinks > 0 ? [countText(kinds.symbolicLinks, 'symbolic link', 'symbolic links')] : []),
    ...(kinds.fifos > 0 ? [countText(kinds.fifos, 'FIFO', 'FIFOs')] : []),
    ...(kinds.devices > 0 ? [countText(kinds.devices, 'device', 'devices')] : []),
  ];
  const freed = Math.max(0, preview.inodes - preview.imageInodes);
  return [
    `${countText(preview.entries, 'entry', 'entries')}: ${counts.join(', ')}`,
    `${sizeText(preview.bytes)} of content in a volume of ${sizeText(preview.volumeLength)} and an index of ${sizeText(preview.indexLength)}`,
    `${countText(preview.inodes, 'inode', 'inodes')} in ${preview.imageInodes} files: removing the source frees ${freed}`,
    ...(preview.excluded > 0 ? [`${countText(preview.excluded, 'name', 'names')} excluded`] : []),
    ...(preview.unreadable.length > 0
      ? [`${preview.unreadable.length} cannot be read: packing needs --skip-unreadable`]
      : []),
  ];
}

export function previewDocument(preview: PackPreview): object {
  return {
    entries: preview.entries,
    kinds: preview.kinds,
    bytes: preview.bytes,
    inodes: preview.inodes,
    imageInodes: preview.imageInodes,
    indexLength: preview.indexLength,
    volumeLength: preview.volumeLength,
    excluded: preview.excluded,
    skipped: problemDocuments(preview.skipped),
    notices: problemDocuments(preview.notices),
    unreadable: problemDocuments(preview.unreadable),
  };
}
