import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { takeAwayMounts } from '../mount/scene.ts';
import { buildImage } from '../support/build-image.ts';
import { compressImage } from '../support/compress-image.ts';
import { fuseUnavailable } from '../support/fuse-available.ts';
import { nativeBuildTimeout } from '../support/native-programs.ts';
import { removeTree } from '../support/remove-tree.ts';
import { contractTree } from './contract-tree.ts';
import type { ContractEngine, Server } from './engines.ts';
import { callSystem } from './system-calls.ts';

const readers = 6;

/** What happens to a server in the middle of its work, where races are: for servers whose sanitizer sees them. */
export function troubleTests(engine: ContractEngine): void {
  test.for<[string, (index: string) => unknown]>([
    ['plain', () => undefined],
    ['compressed', compressImage],
  ])(
    `a server of %s volumes ends well while programs read: ${engine.name}`,
    { timeout: nativeBuildTimeout },
    async ([_, change], ctx) => {
      const { directory, server } = await serve(ctx, engine, change);
      const started = startReaders(directory);
      await Promise.all(started.map((reader) => once(reader.stdout as Readable, 'data')));
      const ended = started.map((reader) => once(reader, 'exit'));
      await server.stop();
      await Promise.all(ended);
    },
  );

  test(
    `an index that is cut short and put back under it costs EIO only: ${engine.name}`,
    async (ctx) => {
      const { directory, index, server } = await serve(ctx, engine);
      const started = startReaders(directory);
      await Promise.all(started.map((reader) => once(reader.stdout as Readable, 'data')));
      const whole = readFileSync(index);
      const crowd = Array.from({ length: 400 }, (_, i) => Buffer.from(join(directory, `crowd/entry-${i * 70}`)));
      for (let times = 0; times < 3; times++) {
        truncateSync(index, 4096);
        // Each time others, as the kernel keeps what it was told.
        const asked = crowd.filter((_, i) => i % 4 === times);
        const errors = callSystem(asked.map((path) => ['lstat', path])).map(({ error }) => error);
        expect(new Set(errors)).toEqual(new Set(['EIO']));
        writeFileSync(index, whole, { flag: 'r+' });
      }
      const again = callSystem(crowd.map((path) => ['lstat', path]));
      expect(again.filter(({ error }) => error !== undefined)).toEqual([]);
      for (const reader of started) reader.kill();
      await server.stop();
    },
    nativeBuildTimeout,
  );
}

async function serve(ctx: TestContext, engine: ContractEngine, change: (index: string) => unknown = () => undefined) {
  const reason = fuseUnavailable() ?? engine.missing();
  if (reason !== undefined) ctx.skip(reason);
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'shoal-trouble-')));
  onTestFinished(() => {
    takeAwayMounts(root);
    removeTree(root);
  });
  const directory = join(root, 'mounted');
  mkdirSync(directory);
  const { index } = buildImage(root, 'image', contractTree);
  change(index);
  const server: Server = await engine.serve(index, directory, {}, join(root, 'log'));
  return { directory, index, server };
}

/** Programs that list and read again and again until that fails, and say so each time. */
function startReaders(directory: string): ChildProcess[] {
  // By full paths: a working directory in the mount would keep it alive after it is taken away.
  const script = 'while ls -lR "$1/links" "$1/many" >&2 && cat "$1"/many/* "$1"/sizes/* >&2; do echo again; done';
  return Array.from({ length: readers }, () => {
    const reader = spawn('sh', ['-c', script, 'sh', directory], { stdio: ['ignore', 'pipe', 'ignore'] });
    reader.stdout.resume();
    onTestFinished(() => void reader.kill());
    return reader;
  });
}
