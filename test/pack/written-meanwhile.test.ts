import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { packTree } from '../../src/pack/pack-tree.ts';
import { fuseUnavailable } from '../support/fuse-available.ts';
import { runShoal, shoalProgram } from '../support/run-shoal.ts';
import { contentsOf } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
afterAll(scratch.remove);

const length = 64_000_000;
/** Writes in one call what a mount has, and tells when that has begun. */
const writer = `
import mmap, os, sys, threading, time
source = open(sys.argv[1], "rb")
new = mmap.mmap(source.fileno(), 0, prot=mmap.PROT_READ)
file = os.open(sys.argv[2], os.O_RDWR)
before = os.fstat(file).st_mtime_ns
def tell():
    while os.fstat(file).st_mtime_ns == before: time.sleep(0.001)
    print("begun", flush=True)
new[:65536]
os.kill(int(sys.argv[3]), 19)
threading.Thread(target=tell).start()
os.pwrite(file, memoryview(new), 0)
`;

test('of a file that one long write is under way on, which began before, the image holds what it writes', async (ctx) => {
  // What is written comes from a mount, which is stopped half-way.
  const why = fuseUnavailable();
  if (why !== undefined) ctx.skip(why);
  const at = (name: string) => join(scratch.path, name);
  for (const name of ['new', 'tree', 'mount']) mkdirSync(at(name));
  writeFileSync(at('new/file'), Buffer.alloc(length, 'n'));
  writeFileSync(at('tree/file'), Buffer.alloc(length, 'o'));
  await packTree([at('new')], at('new.shoal'));
  const server = spawn(process.execPath, [shoalProgram, 'mount', at('new.shoal'), at('mount'), '-f'], {
    stdio: 'ignore',
  });
  try {
    while (runShoal(['stats', at('mount')]).status !== 0) await sleep(50);
    const child = spawn('python3', ['-c', writer, at('mount/file'), at('tree/file'), `${server.pid}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const packed = packTree([at('tree')], at('x.shoal'));
    // Time enough to read the file as it is.
    const first = await Promise.race([packed.then(() => 'packed'), sleep(2000, 'waiting')]);
    server.kill('SIGCONT');
    await once(child, 'close');
    await packed;
    expect(first).toBe('waiting');
    const content = contentsOf(at('x.shoal'))['file'] ?? '';
    expect([content.length, content.indexOf('o')]).toEqual([length, -1]);
  } finally {
    server.kill('SIGCONT');
    runShoal(['unmount', at('mount')]);
    if (server.exitCode === null) await once(server, 'exit');
  }
});
