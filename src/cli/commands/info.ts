import type { Command } from 'commander';
import { showBytes } from '../../base/entry-path.ts';
import { codecNone, codecZstd, volumeByShoal, volumeHasChecksums } from '../../format/constants.ts';
import type { IndexReader, Volume } from '../../index.ts';
import { byteFields } from '../byte-fields.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { withImageArgument } from '../image-argument.ts';
import { sizeText } from '../size-text.ts';
import { standardOutput } from '../standard-output.ts';
import { tableLines } from '../table.ts';

const codecNames: ReadonlyMap<number, string> = new Map([
  [codecNone, 'none'],
  [codecZstd, 'zstd'],
]);

export function infoCommand(): Command {
  const command = defineCommand('info', 'show id, totals, volumes and metadata', [
    ['shoal info train.shoal', 'answered from the index alone'],
    ['shoal info --json train.shoal | jq -r .id', 'the id says what the image holds, wherever it lies'],
  ]).argument('<image>', 'an index: NAME.shoal');
  return addCommonOptions(command).action((image: string, options: CommonOptions) =>
    withImageArgument(image, (file) => describe(file, options)),
  );
}

async function describe(image: Buffer, options: CommonOptions): Promise<void> {
  const { openIndex } = await import('../../index.ts');
  const index = openIndex(image);
  try {
    if (options.json) standardOutput.writeJson(infoDocument(index));
    else for (const line of infoLines(index)) standardOutput.writeLine(line);
  } finally {
    index.close();
  }
}

function infoDocument(index: IndexReader): object {
  return {
    id: index.id.toString('hex'),
    format: index.formatVersion,
    entries: index.entryCount,
    bytes: index.totals(index.get(0)).bytes,
    indexLength: index.length,
    volumes: index.volumes().map((volume, row) => ({
      ...byteFields('name', volume.name),
      length: volume.length,
      codec: codecNames.get(volume.codec) ?? volume.codec,
      ...plainFields(index, row),
      checksums: hasChecksums(volume),
      byShoal: isByShoal(volume),
      ...(volume.sha256 !== undefined && { sha256: Buffer.from(volume.sha256).toString('hex') }),
    })),
    metadata: index.metadata(),
  };
}

function infoLines(index: IndexReader): string[] {
  const perEntry = (index.length / index.entryCount).toFixed(1);
  return tableLines(
    [
      ['id', index.id.toString('hex')],
      ['format', index.formatVersion],
      ['entries', String(index.entryCount)],
      ['bytes', `${exactSize(index.totals(index.get(0)).bytes)} of files and link targets`],
      ['index', `${exactSize(index.length)}, ${perEntry} bytes per entry`],
      ...index.volumes().map((volume, row) => ['volume', volumeText(index, volume, row)]),
      ...Object.entries(index.metadata()).map(([key, value]) => [
        showBytes(Buffer.from(key)),
        showBytes(Buffer.from(value)),
      ]),
    ],
    ['right', 'left'],
  );
}

/** Of a compressed volume. */
function plainFields(index: IndexReader, row: number): { plainLength: number; frameLength: number } | undefined {
  const table = index.frameTable(row);
  return table && { plainLength: table.plainLength, frameLength: table.frameLength };
}

function volumeText(index: IndexReader, volume: Volume, row: number): string {
  const origin = isByShoal(volume) ? 'written by shoal' : 'indexed where it lies';
  const checked = hasChecksums(volume) ? 'with checksums' : 'without checksums';
  const compressed = plainFields(index, row);
  const codec = compressed
    ? `zstd of ${exactSize(compressed.plainLength)} in frames of ${sizeText(compressed.frameLength)}`
    : `codec ${volume.codec}, which this shoal does not know`;
  const details = [exactSize(volume.length), ...(volume.codec === codecNone ? [] : [codec]), origin, checked];
  return [showBytes(volume.name), ...details].join(', ');
}

function exactSize(bytes: number): string {
  return bytes < 1024 ? sizeText(bytes) : `${sizeText(bytes)} (${bytes} bytes)`;
}

function hasChecksums({ flags }: Volume): boolean {
  return (flags & volumeHasChecksums) !== 0;
}

function isByShoal({ flags }: Volume): boolean {
  return (flags & volumeByShoal) !== 0;
}
