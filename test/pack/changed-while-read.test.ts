import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { age, namesIn } from './image-files.ts';
import { type CommandEnd, freeze, spinUntil, startCommand } from './pack-command.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const length = 100_000_000;
const large = join(scratch.path, 'tree', 'large');
const volume = join(scratch.path, 'x.shoal.partial', 'x.tar');

afterAll(scratch.remove);

function overwrite(place: number): void {
  const file = openSync(large, 'r+');
  writeSync(file, 'changed', place);
  closeSync(file);
}

/** Bytes of the volume that were written. */
function written(): number {
  return (statSync(volume, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
}

/** Packs a tree of one large file, and makes `change` when some of it was read and most of it was not. */
async function packWith(change: () => void): Promise<CommandEnd> {
  for (let tries = 0; tries < 50; tries++) {
    for (const name of namesIn(scratch.path)) rmSync(join(scratch.path, name), { recursive: true });
    mkdirSync(join(scratch.path, 'tree'));
    writeFileSync(large, Buffer.alloc(length, 'large'));
    age(join(scratch.path, 'tree'), ['large', '.']);
    const command = startCommand(scratch.path, 'tree', '-o', 'x.shoal', '--jobs', '1');
    const stopped = spinUntil(command, () => written() > 0) && freeze(command);
    const inTime = stopped && written() > 0 && written() < length / 2;
    if (inTime) change();
    command.kill(inTime ? 'SIGCONT' : 'SIGKILL');
    const end = await command.ended;
    if (inTime) return end;
  }
  throw new Error('came too late, whatever was tried');
}

test.each<[string, () => void]>([
  ['grows', () => appendFileSync(large, 'x')],
  ['is cut short to what was read', () => truncateSync(large, 1_000_000)],
  ['is cut short by a byte', () => truncateSync(large, length - 1)],
  ['is overwritten where it was read', () => overwrite(0)],
  ['is overwritten where it was not', () => overwrite(length - 1000)],
])('a file that %s while it is read is named, and no image is made', async (_, change) => {
  const { status, stdout, stderr } = await packWith(change);
  expect(stderr).toMatch(/^shoal: pack: .*1 changed while the tree was packed: tree\/large /);
  expect(stderr).toMatch(/\n {2}tree\/large: /);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(namesIn(scratch.path)).toEqual(['tree']);
});
