import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ShoalError } from '../src/base/errors.ts';
import { loadAddon, toShoalError } from '../src/native/load.ts';

const run = promisify(execFile);
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'shoal-load-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** What loading says in a process of its own, where SHOAL_ADDON names `addon`. */
async function loadInChild(addon: string): Promise<{ code: string; message: string }> {
  const script = `import(${JSON.stringify(join(import.meta.dirname, '../src/native/load.ts'))})
    .then((m) => { m.loadAddon(); console.log('{}'); })
    .catch((e) => console.log(JSON.stringify({ code: e.code, message: e.message })));`;
  const { stdout } = await run(process.execPath, ['--import', 'tsx', '-e', script], {
    env: { ...process.env, SHOAL_ADDON: addon },
  });
  return JSON.parse(stdout);
}

test('the addon that was built is found, once', () => {
  expect(loadAddon().codes[0]).toBe('usage');
  expect(loadAddon()).toBe(loadAddon());
});

test('an addon that is missing is unsupported, with the file and the cure', async () => {
  const { code, message } = await loadInChild(join(scratch, 'missing.node'));
  expect(code).toBe('unsupported');
  expect(message).toContain(`${join(scratch, 'missing.node')} (not there)`);
  if (process.platform === 'linux') expect(message).toContain('npm run build:native');
});

test('an addon that is damaged is unsupported, with what the loader said', async () => {
  const damaged = join(scratch, 'damaged.node');
  await writeFile(damaged, 'no shared object');
  const { code, message } = await loadInChild(damaged);
  expect(code).toBe('unsupported');
  expect(message).toContain(damaged);
  expect(message).not.toContain('not there');
});

test('a failure of the addon keeps code, offset and cause, and shows a path that is no text', () => {
  const failure = Object.assign(new Error('expected A, found B'), {
    code: 'checksum',
    path: Buffer.from([0x61, 0xff, 0xc3, 0xa9]),
    offset: 4096,
  });
  const error = toShoalError(failure);
  expect(error).toBeInstanceOf(ShoalError);
  expect(error).toMatchObject({
    code: 'checksum',
    message: 'expected A, found B',
    path: 'a\\xFFé',
    offset: 4096,
    cause: failure,
  });
});

test('any other error is internal, and a ShoalError stays itself', () => {
  const stranger = new TypeError('expected a Buffer');
  expect(toShoalError(stranger)).toMatchObject({ code: 'internal', message: 'expected a Buffer', cause: stranger });
  expect(toShoalError('text')).toMatchObject({ code: 'internal', message: 'text' });
  const own = new ShoalError('busy', 'mounted');
  expect(toShoalError(own)).toBe(own);
});
