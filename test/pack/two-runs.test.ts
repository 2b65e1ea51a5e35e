import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { packTree } from '../../src/pack/pack-tree.ts';
import { runShoal } from '../support/run-shoal.ts';
import { expectWhole, namesIn, packError } from './image-files.ts';
import { freeze, killUnawaited, type PackCommand, spinUntil, startCommand } from './pack-command.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const place = join(scratch.path, 'place');
const image = join(place, 'x.shoal');
const other = join(scratch.path, 'other');
const lease = join(place, 'x.shoal.partial', 'lease');

beforeAll(() => {
  mkdirSync(join(scratch.path, 'tree'));
  for (let i = 0; i < 20; i++) writeFileSync(join(scratch.path, 'tree', `${i}`), Buffer.alloc(1_000_000, i));
  mkdirSync(other);
  writeFileSync(join(other, 'file'), 'content');
});
beforeEach(startAnew);
afterAll(scratch.remove);

function startAnew(): void {
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place);
}

function startPacking(...options: string[]): PackCommand {
  return startCommand(scratch.path, 'tree', '-o', 'place/x.shoal', ...options);
}

/** A run that works on the image and stands still. */
async function frozenRun(...options: string[]): Promise<PackCommand> {
  for (let tries = 0; tries < 50; tries++) {
    const command = startPacking(...options);
    const stopped = spinUntil(command, () => existsSync(lease) && readFileSync(lease).length > 0) && freeze(command);
    if (stopped && existsSync(lease) && !existsSync(image)) return command;
    command.kill('SIGKILL');
    await command.ended;
    startAnew();
  }
  throw new Error('came too late, whatever was tried');
}

test('while one run works, another is told who works, and touches nothing; the first ends well', async () => {
  const first = await frozenRun();
  const before = namesIn(join(place, 'x.shoal.partial'));
  for (const force of [false, true]) {
    const refused = await packError([other], image, { force });
    expect(refused.code).toBe('busy');
    expect(refused.message).toContain(`process ${first.pid}`);
    expect(refused.path).toBe(join(place, 'x.shoal.partial'));
  }
  expect(namesIn(join(place, 'x.shoal.partial'))).toEqual(before);
  expect(namesIn(place)).toEqual(['x.shoal.partial']);
  first.kill('SIGCONT');
  expect(await first.ended).toMatchObject({ status: 0, stderr: '' });
  await expectWhole(image);
  expect(namesIn(place)).toEqual(['x.shoal', 'x.tar']);
});

test('the command ends with 1 while another run works', async () => {
  const first = await frozenRun();
  const { status, stderr } = await startPacking('--json').ended;
  expect(status).toBe(1);
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'busy' } });
  first.kill('SIGKILL');
  await first.ended;
});

test('another image beside it can be made meanwhile', async () => {
  const first = await frozenRun();
  await packTree([other], join(place, 'y.shoal'));
  first.kill('SIGCONT');
  expect((await first.ended).status).toBe(0);
  await expectWhole(join(place, 'y.shoal'));
  expect(namesIn(place)).toEqual(['x.shoal', 'x.tar', 'y.shoal', 'y.tar']);
});

test('a run that was killed is no run, though its parent has not asked for its end yet', async () => {
  const first = await frozenRun();
  killUnawaited(first);
  // In a process of its own, because this one would ask for it as soon as it waits for anything.
  expect(runShoal(['pack', other, '-o', image, '--quiet'])).toMatchObject({ status: 0, stderr: '' });
  await expectWhole(image);
  expect(namesIn(place)).toEqual(['x.shoal', 'x.tar']);
  await first.ended;
});

test('of runs that begin at the same time one makes the image, and the others are told that it does or did', async () => {
  for (let round = 0; round < 3; round++) {
    startAnew();
    const ends = await Promise.all(Array.from({ length: 4 }, () => startPacking('--json').ended));
    const failed = ends.filter(({ status }) => status !== 0);
    for (const { stderr } of failed) expect(JSON.parse(stderr).error.code).toMatch(/^(busy|exists)$/);
    expect(failed).toHaveLength(ends.length - 1);
    await expectWhole(image);
    expect(namesIn(place)).toEqual(['x.shoal', 'x.tar']);
  }
});

test('of runs that replace an image at the same time none leaves a damaged one', async () => {
  await packTree([other], image);
  const ends = await Promise.all(Array.from({ length: 4 }, () => startPacking('--force', '--json').ended));
  for (const { status, stderr } of ends) if (status !== 0) expect(JSON.parse(stderr).error.code).toBe('busy');
  expect(ends.some(({ status }) => status === 0)).toBe(true);
  await expectWhole(image);
  expect(namesIn(place)).toEqual(['x.shoal', 'x.tar']);
});
