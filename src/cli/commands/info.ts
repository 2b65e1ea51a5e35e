import type { Command } from 'commander';
import { braceNotation } from '../../base/brace-names.ts';
import { showBytes } from '../../base/entry-path.ts';
import { volumeByShoal, volumeHasChecksums } from '../../format/constants.ts';
import type { IndexReader, Volume } from '../../index.ts';
import { byteFields } from '../byte-fields.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { withImageArgument } from '../image-argument.ts';
import { sizeText } from '../size-text.ts';
import { standardOutput } from '../standard-output.ts';
import { tableLines } from '../table.ts';

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
    volumes: index.volumes().map((volume) => ({
      ...byteFields('name', volume.name),
      length: volume.length,
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
      ...volumeRows(index.volumes()),
      ...Object.entries(index.metadata()).map(([key, value]) => [
        showBytes(Buffer.from(key)),
        showBytes(Buffer.from(value)),
      ]),
    ],
    ['right', 'left'],
  );
}

/** One for each volume, or one for all where their names are numbered. */
function volumeRows(volumes: readonly Volume[]): string[][] {
  const notation = braceNotation(volumes.map(({ name }) => showBytes(name)));
  const [first] = volumes;
  const isUniform = volumes.every(({ flags }) => flags === first?.flags);
  if (notation === undefined || first === undefined || !isUniform) {
    return volumes.map((volume) => ['volume', volumeText(volume)]);
  }
  const length = volumes.reduce((sum, volume) => sum + volume.length, 0);
  return [['volumes', `${notation}, ${exactSize(length)} in ${volumes.length}, ${traitsText(first)}`]];
}

function volumeText(volume: Volume): string {
  return `${showBytes(volume.name)}, ${exactSize(volume.length)}, ${traitsText(volume)}`;
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
