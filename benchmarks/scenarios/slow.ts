import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { clientProgram, readClient } from '../clients.ts';
import { shoal } from '../contenders/shoal.ts';
import { gnuTar } from '../contenders/tar.ts';
import { smallFiles } from '../data-set.ts';
import { settle } from '../page-cache.ts';
import { runCommand } from '../run-command.ts';
import type { Scenario } from '../scenario.ts';

const milliseconds = 2;
/** Of which GNU tar takes most of a minute. */
const mostFiles = 10_000;

/** Packing from a shared filesystem whose metadata server is far away: test/native/slow_storage.cc, a model of it, says what it leaves out. */
export const slowScenarios: readonly Scenario[] = [
  {
    name: 'slow-metadata',
    title: `pack the tree from storage that takes ${milliseconds} ms for each metadata operation`,
    conditions:
      'a model: a FUSE filesystem that answers each lookup, getattr, open and readdir so much later, any number at once, and reads at once; known to nobody before',
    unit: 's',
    better: 'lower',
    contenders: [gnuTar, shoal],
    trials: 3,
    unavailable: () => undefined,
    data: ({ files }, { work }) => smallFiles(work, Math.min(files, mostFiles)),
    run: ({ contender, dataSet, scratch }) => {
      readClient('find', dataSet.source);
      readClient('read', dataSet.source, dataSet.paths, '1', String(dataSet.files), '1');
      settle();
      const source = join(scratch, 'slow');
      mkdirSync(source);
      const archive = join(scratch, `packed.${contender.kind}`);
      const pack = contender.pack?.({ source, archive }) ?? ['false'];
      const storage = [clientProgram('slow_storage'), dataSet.source, source, String(milliseconds)] as const;
      return Number(runCommand([...storage, ...pack]));
    },
  },
];
