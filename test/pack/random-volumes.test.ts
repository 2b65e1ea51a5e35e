import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, test } from 'vitest';
import { removeTree } from '../support/remove-tree.ts';
import { arbitraryFiles, makeMemberTree } from './member-tree.ts';
import { scratchDirectory } from './pack-process.ts';
import { expectRight } from './volume-scene.ts';

const scratch = scratchDirectory();
afterAll(scratch.remove);

const options = fc.record({
  volumeSize: fc.constantFrom(undefined, 65_536, 100_000, 300_000),
  kept: fc.constantFrom({}, { samples: true }, { dedupe: true }),
  listed: fc.option(fc.array(fc.nat(40), { maxLength: 20 }), { nil: undefined }),
});
test('whatever the tree and the options, the image holds the tree, and its volumes give its index', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryFiles, options, async (files, { volumeSize, kept, listed }) => {
      const place = mkdtempSync(join(scratch.path, 'run-'));
      const tree = join(place, 'tree');
      const made = makeMemberTree(tree, files);
      const list = join(place, 'list');
      writeFileSync(list, (listed ?? []).map((number) => `${made[number] ?? 'nothing'}\n`).join(''));
      await expectRight(place, tree, { ...kept, volumeSize, order: listed === undefined ? undefined : list });
      removeTree(place);
    }),
    { numRuns: 40, interruptAfterTimeLimit: 60_000 },
  );
}, 120_000);
