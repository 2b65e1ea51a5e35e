import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectWhole, namesIn } from './image-files.ts';
import { freeze, type PackCommand, spinUntil, startCommand } from './pack-command.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const place = join(scratch.path, 'place');
const image = join(place, 'x.shoal');
const partial = join(place, 'x.shoal.partial');

beforeAll(() => {
  for (const [name, shift] of [
    ['first', 0],
    ['second', 100],
  ] as const) {
    mkdirSync(join(scratch.path, name));
    for (let i = 0; i < 20; i++) writeFileSync(join(scratch.path, name, `${i}`), Buffer.alloc(1_000_000, i + shift));
  }
});
afterAll(scratch.remove);

function startPacking(source: string): PackCommand {
  return startCommand(scratch.path, source, '-o', 'place/x.shoal', '--json');
}

/** Stops the run when it has written a part of its volume; false if it was too quick. */
function stopWithin(command: PackCommand): boolean {
  const begun = () =>
    lease().includes(`:${command.pid},`) &&
    (statSync(join(partial, 'x.tar'), { throwIfNoEntry: false })?.blocks ?? 0) > 0;
  return spinUntil(command, begun) && freeze(command) && begun() && !existsSync(image);
}

function lease(): string {
  try {
    return readFileSync(join(partial, 'lease'), 'latin1');
  } catch {
    return '';
  }
}

/** As if the run stood still for long, on another host. */
function silence(): void {
  const text = JSON.stringify({ ...JSON.parse(lease()), host: 'elsewhere 1234 pid:[1]' });
  writeFileSync(join(partial, 'lease'), text);
  utimesSync(join(partial, 'lease'), 1e9, 1e9);
}

test('a run that was taken for dead and goes on fails, and takes nothing from the run that took over', async () => {
  for (let tries = 0; tries < 20; tries++) {
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place);
    const silent = startPacking('first');
    let met = stopWithin(silent);
    if (met) silence();
    const heir = startPacking('second');
    met &&= stopWithin(heir);
    silent.kill(met ? 'SIGCONT' : 'SIGKILL');
    const { status } = await silent.ended;
    heir.kill(met ? 'SIGCONT' : 'SIGKILL');
    const end = await heir.ended;
    if (!met) continue;
    expect(status).toBe(1);
    expect(end).toMatchObject({ status: 0, stderr: '' });
    await expectWhole(image);
    expect(namesIn(place)).toEqual(['x.shoal', 'x.tar']);
    return;
  }
  throw new Error('came too late, whatever was tried');
});
