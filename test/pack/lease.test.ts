import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { packTree } from '../../src/pack/pack-tree.ts';
import { expectWhole, namesIn, packError } from './image-files.ts';
import { killUnawaited, spinUntil, startCommand } from './pack-command.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const place = join(scratch.path, 'place');
const image = join(place, 'x.shoal');
const partial = join(place, 'x.shoal.partial');
const lease = join(partial, 'lease');
/** What a run on this host has written that is dead now. */
let written: Record<string, unknown>;

beforeAll(async () => {
  mkdirSync(tree);
  writeFileSync(join(tree, 'file'), Buffer.alloc(5_000_000, 'x'));
  startAnew();
  const command = startCommand(scratch.path, 'tree', '-o', 'place/x.shoal');
  let text = '';
  spinUntil(command, () => {
    text = existsSync(lease) ? readFileSync(lease, 'utf8') : '';
    return text !== '';
  });
  killUnawaited(command);
  await command.ended;
  written = JSON.parse(text);
});
beforeEach(startAnew);
afterAll(scratch.remove);

function startAnew(): void {
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place);
}

/** What a run leaves that is killed while it writes the volume. */
function leave(changes: Readonly<Record<string, unknown>>, secondsAgo = 0): void {
  mkdirSync(partial);
  writeFileSync(lease, `${JSON.stringify({ ...written, ...changes })}\n`);
  writeFileSync(join(partial, 'x.tar'), 'the beginning of a volume');
  const time = Date.now() / 1000 - secondsAgo;
  utimesSync(lease, time, time);
}

async function expectTakenOver(): Promise<void> {
  await packTree([tree], image);
  await expectWhole(image);
  expect(namesIn(place)).toEqual(['x.shoal', 'x.tar']);
}

describe('the lease', () => {
  test('of a dead process on this host is taken over at once', async () => {
    leave({});
    await expectTakenOver();
  });

  test('of a dead process whose id another has by now is taken over', async () => {
    leave({ pid: process.pid });
    await expectTakenOver();
  });

  test('of a live process on this host holds, however old it is', async () => {
    const [, ...fields] = readFileSync('/proc/self/stat', 'latin1').split(') ').slice(-1)[0]?.split(' ') ?? [];
    leave({ pid: process.pid, start: fields[18] }, 1_000_000);
    const refused = await packError([tree], image);
    expect(refused).toMatchObject({ code: 'busy', message: expect.stringContaining(`process ${process.pid} `) });
    expect(namesIn(partial)).toEqual(['lease', 'x.tar']);
  });

  test.each([0, 30])('of a process on another host holds %d seconds after its last sign of life', async (seconds) => {
    leave({ host: 'elsewhere 1234 pid:[1]', pid: 17 }, seconds);
    const refused = await packError([tree], image);
    expect(refused).toMatchObject({ code: 'busy', message: expect.stringContaining('process 17 on elsewhere ') });
    expect(namesIn(partial)).toEqual(['lease', 'x.tar']);
    expect(namesIn(place)).toEqual(['x.shoal.partial']);
  });

  test('of a process on another host is taken over when it was silent for long', async () => {
    leave({ host: 'elsewhere 1234 pid:[1]' }, 3600);
    await expectTakenOver();
  });

  test('of a process before this host was booted again, or in another container, counts as one on another host', async () => {
    const host = String(written['host']);
    for (const changed of [host.replace(/[0-9a-f-]{36}/, 'another-boot'), host.replace(/pid:.*/, 'pid:[1]')]) {
      leave({ host: changed, pid: process.pid });
      expect((await packError([tree], image)).code).toBe('busy');
      rmSync(partial, { recursive: true });
    }
  });

  test.each(['', '{"host":"some'])(
    'that a run was killed while it wrote, %j, keeps nobody from packing',
    async (text) => {
      leave({}, 3600);
      writeFileSync(lease, text);
      utimesSync(lease, 1e9, 1e9);
      await expectTakenOver();
    },
  );
});

describe('what a dead run left', () => {
  test('an empty directory, is removed', async () => {
    mkdirSync(partial);
    await expectTakenOver();
  });

  test.each(['before it had its lease', 'on its way to be removed'])('%s, is removed', async (when) => {
    const digest = createHash('sha256').update(String(written['host'])).digest('hex').slice(0, 8);
    const aside = join(place, `x.shoal.partial.${digest}-${written['pid']}-${written['start']}.1`);
    if (when.includes('lease')) mkdirSync(aside);
    else {
      leave({});
      renameSync(partial, aside);
    }
    await expectTakenOver();
  });

  test('is removed also where the output exists', async () => {
    await packTree([tree], image);
    leave({});
    expect((await packError([tree], image)).code).toBe('exists');
    expect(namesIn(place)).toEqual(['x.shoal', 'x.tar']);
    await expectWhole(image);
  });
});
