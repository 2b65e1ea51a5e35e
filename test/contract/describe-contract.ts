import { chmodSync, mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import type { MountOptions } from '../../src/mount/mount-options.ts';
import { takeAwayMounts } from '../mount/scene.ts';
import { type BuiltImage, buildImage } from '../support/build-image.ts';
import { compressImage } from '../support/compress-image.ts';
import { fuseUnavailable } from '../support/fuse-available.ts';
import { nativeBuildTimeout } from '../support/native-programs.ts';
import { removeTree } from '../support/remove-tree.ts';
import { attributeTests } from './attributes.ts';
import { contentTests } from './content.ts';
import { contractTree } from './contract-tree.ts';
import type { Abilities, ContractEngine, Server } from './engines.ts';
import { errorTests } from './errors.ts';
import { linkTests } from './links.ts';
import { listingTests } from './listings.ts';
import { nameTests } from './names.ts';
import { ownershipTests } from './ownership.ts';
import { xattrTests } from './xattrs.ts';

/** The contract tree as an engine serves it. */
export interface Served {
  readonly abilities: Abilities;
  readonly image: BuiltImage;
  /** Bytes of a path within the mount. */
  at(path?: string | Buffer): Buffer;
  log(): string;
  /** Serves the same image once more, until the end of the suite. Returns the directory. */
  serveWith(options: MountOptions): Promise<string>;
}

/** Gives what is served, or skips the test with the reason why nothing is. */
export type GiveServed = (ctx: TestContext) => Served;

/** What every engine must hold, run against one. The image is mounted once for all tests, which only read. */
export function describeContract(engine: ContractEngine, volumes: 'plain' | 'compressed' = 'plain'): void {
  describe(`the contract of mounts: ${engine.name}, ${volumes} volumes`, () => {
    let root: string;
    let image: BuiltImage;
    let reason: string | undefined;
    const servers: Server[] = [];

    async function serve(options: MountOptions): Promise<string> {
      const directory = join(root, `mounted-${servers.length}`);
      mkdirSync(directory);
      servers.push(await engine.serve(image.index, directory, options, join(root, `log-${servers.length}`)));
      return directory;
    }

    beforeAll(async () => {
      root = realpathSync(mkdtempSync(join(tmpdir(), 'shoal-contract-')));
      chmodSync(root, 0o755);
      reason = fuseUnavailable() ?? engine.missing();
      if (reason !== undefined) return;
      image = buildImage(root, 'image', contractTree);
      if (volumes === 'compressed') compressImage(image.index);
      await serve({});
    }, nativeBuildTimeout);

    afterAll(() => {
      takeAwayMounts(root);
      removeTree(root);
    });

    const give: GiveServed = (ctx) => {
      if (reason !== undefined) return ctx.skip(reason);
      const mounted = join(root, 'mounted-0');
      return {
        abilities: engine.abilities,
        image,
        at: (path = '') => Buffer.concat([Buffer.from(`${mounted}/`), Buffer.from(path)]),
        log: () => servers[0]?.log() ?? '',
        serveWith: serve,
      };
    };

    attributeTests(give);
    listingTests(give);
    nameTests(give);
    linkTests(give);
    contentTests(give);
    xattrTests(give);
    ownershipTests(give);
    errorTests(give);

    test('after all of it the servers end when told to, with nothing to complain of', async (ctx) => {
      const { abilities, log } = give(ctx);
      const told = log();
      expect(told).toEqual(abilities.anyBytes ? '' : expect.stringMatching(/^shoal: .*names that are no UTF-8.*\n$/));
      for (const server of servers) await server.stop();
    });
  });
}
