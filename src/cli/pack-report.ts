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

/** What was met on the way and is to be told on stderr, whatever was asked for: what the image lacks. */
export function tellLeftOut({ unreadable }: Pick<PackSummary, 'unreadable'>): void {
  tell('left out ', unreadable);
}

/** What else was met. */
export function tellNotices({ skipped, notices }: Pick<PackSummary, 'skipped' | 'notices'>): void {
  tell('skipped ', skipped);
  tell('', notices);
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
    `${showBytes(image)}: ${countText(result.entries, 'entry', 'entries')}, ${sizeText(result.bytes)} of content in an image of ${sizeText(result.indexLength + result.volumeLength)}`,
    `${durationText(milliseconds)}, ${Math.round(result.entries / seconds)} entries/s, ${sizeText(result.bytes / seconds)}/s`,
    `${countText(result.inodes, 'inode', 'inodes')} in 2 files${warningsText(result)}`,
  ].join('; ');
}

function warningsText({ skipped, notices, unreadable }: PackSummary): string {
  const count = skipped.length + notices.length + unreadable.length;
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
    volumeLength: result.volumeLength,
    nanoseconds: Math.round(milliseconds * 1e6),
    excluded: result.excluded,
    skipped: problemDocuments(result.skipped),
    notices: problemDocuments(result.notices),
    unreadable: problemDocuments(result.unreadable),
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
