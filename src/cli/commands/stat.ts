import type { Command } from 'commander';
import { showBytes } from '../../base/entry-path.ts';
import { formatSize } from '../../base/sizes.ts';
import type { Entry, IndexReader } from '../../index.ts';
import { byteFields } from '../byte-fields.ts';
import { type ContentChecksum, contentChecksum } from '../content-checksum.ts';
import { countText } from '../count-text.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { forEachPath } from '../each-path.ts';
import { entryAt } from '../entry-argument.ts';
import { entryDocument, inodeNumber } from '../entry-document.ts';
import { withImageArgument } from '../image-argument.ts';
import { modeText, permissionText } from '../mode-text.ts';
import { standardOutput } from '../standard-output.ts';
import { tableLines } from '../table.ts';
import { fullTime } from '../time-text.ts';

export function statCommand(): Command {
  const command = defineCommand('stat', 'show all that is known of entries', [
    ['shoal stat train.shoal images/cats/1.jpg', 'mode, owner, size, time, place in the volume, checksum'],
    ['shoal stat --json train.shoal . | jq .entries', 'how many entries there are below the root'],
  ])
    .argument('<image>', 'an index: NAME.shoal')
    .argument('<path...>', 'paths within the image; symbolic links are shown, not followed');
  return addCommonOptions(command).action((image: string, paths: string[], options: CommonOptions) =>
    withImageArgument(image, (file) => stat(file, paths, options)),
  );
}

async function stat(image: Buffer, paths: readonly string[], options: CommonOptions): Promise<void> {
  const { openIndex } = await import('../../index.ts');
  const index = openIndex(image);
  try {
    let first = true;
    forEachPath('stat', paths, options, (path) => {
      const entry = entryAt(index, path);
      if (options.json) {
        standardOutput.writeJson(statDocument(index, entry));
      } else {
        const lines = statLines(index, entry);
        if (!first) standardOutput.writeLine('');
        for (const line of lines) standardOutput.writeLine(line);
      }
      first = false;
    });
  } finally {
    index.close();
  }
}

function statDocument(index: IndexReader, entry: Entry): object {
  const told = index.resolve(entry.number);
  return {
    ...entryDocument(index, entry, index.entryPath(entry.number)),
    ...(entry.alias && byteFields('linkTo', index.entryPath(told.number))),
    ...(told.kind === 'directory' && { ...index.totals(told), children: told.childCount }),
    ...(told.kind === 'file' && {
      extents: extentDocuments(index, told),
      checksum: contentChecksum(index, told) ?? null,
    }),
    xattrs: index
      .xattrs(told)
      .map(({ name, value }) => ({ ...byteFields('name', name), value: value.toString('base64') })),
  };
}

function extentDocuments(index: IndexReader, file: Entry): object[] {
  return index.extents(file).map(({ volume, fileOffset, offset, length }) => ({
    ...byteFields('volume', volumeName(index, volume)),
    offset,
    length,
    fileOffset,
  }));
}

function statLines(index: IndexReader, entry: Entry): string[] {
  const told = index.resolve(entry.number);
  const rows: [string, string][] = [
    ['path', showBytes(index.entryPath(entry.number)) || '.'],
    ['type', told.kind ?? ''],
    ['inode', String(inodeNumber(told))],
  ];
  if (entry.alias) rows.push(['hard link to', showBytes(index.entryPath(told.number))]);
  rows.push(
    ['mode', `${permissionText(told.mode)} ${modeText(told.mode)}`],
    ['links', String(told.nlink)],
    ['owner', `${told.uid}:${told.gid}`],
    ['modified', fullTime(told.seconds, told.nanoseconds)],
    ...kindRows(index, told),
    ...index
      .xattrs(told)
      .map(({ name, value }): [string, string] => ['xattr', `${showBytes(name)}="${showBytes(value)}"`]),
  );
  return tableLines(rows, ['right', 'left']);
}

function kindRows(index: IndexReader, entry: Entry): [string, string][] {
  switch (entry.kind) {
    case 'file':
      return fileRows(index, entry);
    case 'directory': {
      const { entries, bytes } = index.totals(entry);
      return [
        ['children', String(entry.childCount)],
        ['below', `${countText(entries, 'entry', 'entries')}, ${bytes} bytes`],
      ];
    }
    case 'symlink':
      return [['target', showBytes(index.linkTarget(entry))]];
    case 'character':
    case 'block':
      return [['device', `${entry.deviceMajor}, ${entry.deviceMinor}`]];
    default:
      return [];
  }
}

function fileRows(index: IndexReader, file: Entry): [string, string][] {
  const extents = index.extents(file);
  const holes = file.size - extents.reduce((sum, { length }) => sum + length, 0);
  return [
    ['size', `${file.size} bytes${holes === 0 ? '' : `, ${holes} of them in holes`}`],
    ...extents.map(({ volume, offset, length }): [string, string] => [
      'extent',
      `${length} bytes at ${offset} of ${showBytes(volumeName(index, volume))}`,
    ]),
    ['checksum', checksumText(contentChecksum(index, file))],
  ];
}

function checksumText(checksum: ContentChecksum | undefined): string {
  if (checksum === undefined) return 'none';
  const { value, chunks } = checksum;
  return value === undefined
    ? `crc32c of each of ${chunks} chunks of ${formatSize(checksum.chunkLength)}`
    : `crc32c ${value}`;
}

function volumeName(index: IndexReader, volume: number): Buffer {
  return index.volumes()[volume]?.name ?? Buffer.alloc(0);
}
