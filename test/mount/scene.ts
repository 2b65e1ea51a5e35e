import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';
import { type BackgroundOptions, type Mounted, mountImage } from '../../src/mount/mount-image.ts';
import { parseMountinfo, shoalType } from '../../src/mount/mountinfo.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { fuseUnavailable } from '../support/fuse-available.ts';
import { nativeAddon } from '../support/native.ts';
import { removeTree } from '../support/remove-tree.ts';

/** A directory of its own for a test that mounts; its mounts are taken away at the end, whatever happened. */
export interface Scene {
  readonly root: string;
  /** To be filled by the test and packed. */
  readonly source: string;
  readonly image: string;
  readonly volume: string;
  /** Empty, to mount on. */
  readonly directory: string;
  pack(): Promise<void>;
  mount(options?: BackgroundOptions): Promise<Mounted>;
}

/** Skips where nothing can be mounted, with the reason. */
export function scene(ctx: TestContext): Scene {
  nativeAddon(ctx);
  const reason = fuseUnavailable();
  if (reason !== undefined) ctx.skip(reason);
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'shoal-mount-')));
  chmodSync(root, 0o755);
  const places = {
    root,
    source: join(root, 'source'),
    image: join(root, 'image.shoal'),
    volume: join(root, 'image.tar'),
    directory: join(root, 'mounted'),
  };
  mkdirSync(places.source);
  mkdirSync(places.directory);
  onTestFinished(() => {
    takeAwayMounts(root);
    removeTree(root);
  });
  return {
    ...places,
    pack: async () => void (await packTree([places.source], places.image)),
    mount: (options) => mountImage(places.image, places.directory, options),
  };
}

export function mountsBelow(root: string): string[] {
  return parseMountinfo(readFileSync('/proc/self/mountinfo'))
    .filter(({ type, directory }) => type === shoalType && directory.toString().startsWith(`${root}/`))
    .map(({ directory }) => directory.toString());
}

/** Whatever became of their servers. */
export function takeAwayMounts(root: string): void {
  for (const mount of mountsBelow(root)) unmountHard(mount);
}

function unmountHard(directory: string): void {
  const root = process.getuid?.() === 0;
  execFileSync(root ? 'umount' : 'fusermount3', root ? ['-l', directory] : ['-u', '-z', directory]);
}

/** A process that has ended and only waits for its parent to look does not run, but its last thread must have ended, too. */
export function isRunning(pid: number | undefined): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return !/^State:\s+[ZX]/m.test(status) || Number(/^Threads:\s+(\d+)/m.exec(status)?.[1]) > 1;
  } catch {
    return false;
  }
}

/** Waits until `condition` holds; fails the test by its time limit if it never does. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

export function run(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 });
}
