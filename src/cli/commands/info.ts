import type { Command } from 'commander';
import { braceNotation } from '../../base/brace-names.ts';
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
      ...volumeRows(index),
      ...Object.entries(index.metadata()).map(([key, value]) => [
        showBytes(Buffer.from(key)),
        showBytes(Buffer.from(value)),
      ]),
    ],
    ['right', 'left'],
  );
}

/** One for each volume, or one for all where their names are numbered. */
function volumeRows(index: IndexReader): string[][] {
  const volumes = index.volumes();
  const notation = braceNotation(volumes.map(({ name }) => showBytes(name)));
  const [first] = volumes;
  const isUniform = volumes.every(({ flags, codec }) => flags === first?.flags && codec === first?.codec);
  if (notation === undefined || first === undefined || !isUniform) {
    return volumes.map((volume, row) => ['volume', volumeText(index, volume, row)]);
  }
  const length = volumes.reduce((sum, volume) => sum + volume.length, 0);
  const codec = first.codec === codecNone ? [] : [codecNames.get(first.codec) ?? `codec ${first.codec}`];
  return [['volumes', [notation, `${exactSize(length)} in ${volumes.length}`, ...codec, traitsText(first)].join(', ')]];
}

/** Of a compressed volume. */
function plainFields(index: IndexReader, row: number): { plainLength: number; frameLength: number } | undefined {
  const table = index.frameTable(row);
  return table && { plainLength: table.plainLength, frameLength: table.frameLength };
}

function volumeText(index: IndexReader, volume: Volume, row: number): string {
  const compressed = plainFields(index, row);
  const codec = compressed
    ? `zstd of ${exactSize(compressed.plainLength)} in frames of ${sizeText(compressed.frameLength)}`
    : `codec ${volume.codec}, which this shoal does not know`;
  const details = [exactSize(volume.length), ...(volume.codec === codecNone ? [] : [codec]), traitsText(volume)];
  return [showBytes(volume.name), ...details].join(', ');
}

function traitsText(volume: Volume): string {
  const origin = isByShoal(volume) ? 'written by shoal' : 'indexed where it lies';
  const checked = hasChecksums(volume) ? 'with checksums' : 'without checksums';
  return `${origin}, ${checked}`;
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
