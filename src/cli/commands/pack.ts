import { type Command, Option } from 'commander';
import { exitCode } from '../../base/errors.ts';
import { addCommonOptions, type CommonOptions, defineCommand } from '../define-command.ts';
import { raiseExitStatus } from '../exit-status.ts';
import { addLayoutOptions, type LayoutOptions, readLayout } from '../layout-options.ts';
import { longWork } from '../long-work.ts';
import { addMetadata, parseCheckpoint, parseJobs, parsePart, parseSizeOf } from '../option-values.ts';
import {
  packDocument,
  previewDocument,
  previewLines,
  removedLine,
  summaryLine,
  tellLeftOut,
  tellNotices,
} from '../pack-report.ts';
import { argumentBytes } from '../raw-arguments.ts';
import { addSelectionOptions, readSelection, type SelectionOptions } from '../selection-options.ts';
import { standardOutput } from '../standard-output.ts';

interface PackOptions extends CommonOptions, SelectionOptions, LayoutOptions {
  readonly output?: string;
  readonly fromArchive?: string;
  readonly dryRun?: true;
  readonly force?: true;
  readonly jobs?: number;
  readonly part?: { readonly number: number; readonly count: number };
  readonly meta?: Readonly<Record<string, string>>;
  readonly provenance?: true;
  readonly removeSource?: true;
  readonly maxExtra?: number;
  readonly resume?: true;
  readonly checkpoint?: number;
}

/** They say something of the files that are read, of which an archive has none. */
const treeOptions = [
  'part',
  'exclude',
  'excludeFrom',
  'filesFrom',
  'oneFileSystem',
  'skipUnreadable',
  'dedupe',
  'removeSource',
  'maxExtra',
  'resume',
  'checkpoint',
  'dryRun',
];

export function packCommand(): Command {
  const command = defineCommand('pack', 'make an image of trees of files', [
    ['shoal pack dataset -o train.shoal', 'the contents of dataset become the root; makes train.shoal and train.tar'],
    ['shoal pack a b -o both.shoal', 'several sources: each stands under its name'],
    ['shoal pack --from-archive old.tar.gz -o old.shoal', 'what extracting the archive would give'],
    ['shoal pack dataset --part 2/4 -o part2.shoal', 'the second of four shares, here or on another machine'],
    ['shoal pack dataset -o train.shoal --meta licence=CC0', 'shown by shoal info'],
    ["shoal pack home -o home.shoal --exclude '*.tmp' --exclude /cache/", 'names anywhere, a directory in the root'],
    ['find . -newer mark -print0 | shoal pack . -o ../new.shoal --files-from - --null', 'only these'],
    ['shoal pack dataset -o train.shoal --volume-size 4G', 'train-00000.tar, train-00001.tar, … of at most 4 GiB'],
    ['shoal pack dataset -o train.shoal --order first-epoch.txt', 'files in the order in which they are read'],
    [
      "shoal pack dataset -o train.shoal --samples --volume-size 3G --shard-names 'train-{000000..000146}.tar'",
      'shards for a WebDataset loader',
    ],
    ['shoal pack results -o results.shoal --remove-source', 'read back and compared, then removed'],
    [
      'shoal pack results -o results.shoal --remove-source --max-extra 20G',
      'the same, where there is no room for the whole image beside the source',
    ],
    ['shoal pack dataset --dry-run', 'what would be packed, and how large it would be'],
  ])
    .argument('[source...]', 'directories, or files, to pack')
    .option('-o, --output <image>', 'the index to write, NAME.shoal; the volume NAME.tar lies beside it')
    .option('--dry-run', 'look, and say what would be made; writes nothing, and -o is not needed')
    .addOption(
      new Option(
        '--from-archive <file>',
        'pack the tree in a zip, or in a tar, which may be compressed, without unpacking it; - is standard input',
      ).conflicts(treeOptions),
    )
    .option('--force', 'replace an image that exists')
    .option('--jobs <n>', 'threads; by default as many as storage keeps busy', parseJobs)
    .option('--part <i/n>', 'pack only this share; merged, the images of all n parts hold everything', parsePart)
    .option('--meta <key=value>', 'store a key and a value in the image; may be repeated', addMetadata)
    .option(
      '--remove-source',
      'remove from the sources what was read back and compared, byte by byte; what has changed stays',
    )
    .option(
      '--max-extra <size>',
      'with --remove-source: pack and remove in slices, so that no more than this is taken beyond what the source takes',
      parseSizeOf('--max-extra'),
    )
    .option('--resume', 'go on where a run that was stopped got to; removing included')
    .option('--checkpoint <seconds>', 'make progress durable this often, for --resume', parseCheckpoint)
    .option('--provenance', 'store source, host, time and command in the image, which then differs from run to run');
  return addCommonOptions(addLayoutOptions(addSelectionOptions(command))).action(pack);
}

async function pack(sources: readonly string[], options: PackOptions, command: Command): Promise<void> {
  const { fromArchive: archive } = options;
  if (sources.length === 0 && archive === undefined) {
    command.error("error: missing required argument 'source', or --from-archive");
  }
  if (sources.length > 0 && archive !== undefined) {
    command.error('error: expected sources or --from-archive, found both; pack them apart and merge the images');
  }
  const library = await import('../../index.ts');
  const begun = performance.now();
  const output = options.output === undefined ? undefined : argumentBytes(options.output);
  const general = {
    ...readLayout(options),
    force: options.force === true,
    ...(options.jobs !== undefined && { jobs: options.jobs }),
    ...(options.meta !== undefined && { metadata: options.meta }),
    provenance: options.provenance === true,
  };
  const ofTree = { ...(await readSelection(options)), ...(options.part !== undefined && { part: options.part }) };
  const trees = sources.map(argumentBytes);
  if (options.dryRun) {
    const preview = await longWork('looking', options, (job) =>
      library.previewPack(trees, { ...job, ...general, ...ofTree, output }),
    );
    if (options.json) return standardOutput.writeJson(previewDocument(preview));
    if (!options.quiet) tellNotices(preview);
    tellLeftOut(preview);
    for (const line of previewLines(preview)) standardOutput.writeLine(line);
    return;
  }
  if (output === undefined) return command.error("error: required option '-o, --output <image>' not specified");
  const removal = {
    removeSource: options.removeSource === true,
    ...(options.maxExtra !== undefined && { maxExtra: options.maxExtra }),
    resume: options.resume === true,
    ...(options.checkpoint !== undefined && { checkpoint: options.checkpoint }),
  };
  const result = await longWork('packing', options, (job) =>
    archive === undefined
      ? library.packTree(trees, output, { ...job, ...general, ...ofTree, ...removal })
      : withArchive(archive, (opened) => library.packArchive(opened, output, { ...job, ...general })),
  );
  const milliseconds = performance.now() - begun;
  // A tree's sockets are no loss; a member of an archive is.
  const lost = archive === undefined ? result.unreadable : result.skipped;
  const kept = result.removed?.kept ?? [];
  if (lost.length > 0 || kept.length > 0) raiseExitStatus(exitCode('partial'));
  if (options.json) return standardOutput.writeJson(packDocument(output, result, milliseconds));
  if (!options.quiet) tellNotices(result);
  tellLeftOut(result);
  if (options.quiet) return;
  standardOutput.writeLine(summaryLine(output, result, milliseconds));
  if (result.removed !== undefined) standardOutput.writeLine(removedLine(result.removed));
}

/** `-` is standard input, which is let go of afterwards: somebody may hold its other end open for ever. */
async function withArchive<T>(name: string, use: (archive: Buffer | NodeJS.ReadStream) => Promise<T>): Promise<T> {
  if (name !== '-') return await use(argumentBytes(name));
  try {
    return await use(process.stdin);
  } finally {
    process.stdin.destroy();
  }
}
