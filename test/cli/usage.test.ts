import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fuseUnavailable } from '../support/fuse-available.ts';
import { runShoal } from '../support/run-shoal.ts';

let directory: string;
const run = (...options: string[]) => runShoal(options, { cwd: directory });

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'shoal-usage-'));
  mkdirSync(join(directory, 'tree'));
  writeFileSync(join(directory, 'tree', 'file'), 'content');
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('a mistake in the command line', () => {
  test.each([
    [['pack', 'tree', '-o', 'x.shoal', '--nothing'], "unknown option '--nothing'"],
    [['pack', 'tree', '-o', 'x.shoal', '--forc'], 'Did you mean --force?'],
    [['pack', 'tree'], "required option '-o, --output <image>' not specified"],
    [['pack', '-o', 'x.shoal'], "missing required argument 'source'"],
    [['pack', 'tree', '-o', 'x.shoal', '--jobs', 'many'], 'expected a whole number from 1 to 1024, found "many"'],
    [['pack', 'tree', '-o', 'x.shoal', '--meta', 'key'], 'expected KEY=VALUE, found "key"'],
    [['index'], "missing required argument 'archive'"],
    [['mount', 'x.shoal'], "missing required argument 'dir'"],
    [['mount', 'x.shoal', 'tree', '-o', 'nothing=1'], 'found "nothing=1"'],
    [['exec'], "missing required argument 'image[:dir]'"],
    [['exec', 'x.shoal'], 'found no command behind --'],
    [['exec', 'x.shoal', '--'], 'found no command behind --'],
    [['exec', '--', 'true'], 'found no image before --'],
    [['unmount'], "missing required argument 'dir'"],
    [['ls', 'x.shoal', 'a', 'b'], 'too many arguments'],
    [['stat', 'x.shoal'], "missing required argument 'path'"],
    [['cat', 'x.shoal'], "missing required argument 'path'"],
    [['extract', 'x.shoal'], "required option '-C, --directory <dir>' not specified"],
    [['verify', 'x.shoal', '--against'], "option '--against <dir>' argument missing"],
    [['pak', 'tree'], 'Did you mean pack?'],
    [['--nothing'], "unknown option '--nothing'"],
  ])('%j is told, with help, before any work starts', (options, reason) => {
    const { status, stdout, stderr } = run(...options);
    expect(stderr).toContain(reason);
    expect(stderr).toMatch(/^shoal: /);
    expect(stdout).toBe('');
    expect(status).toBe(2);
    expect(readdirSync(directory)).toEqual(['tree']);
  });

  test('names the help to read', () => {
    expect(run('pack', 'tree').stderr).toMatch(/\n {2}Try: shoal pack --help\n$/);
    expect(run('pak').stderr).toMatch(/\n {2}Try: shoal --help\n$/);
  });

  test('is a document for machines', () => {
    const { error } = JSON.parse(run('pack', '--json', 'tree').stderr) as { error: { code: string } };
    expect(error.code).toBe('usage');
  });
});

describe('shoal pack', () => {
  test('does not write into its own source', () => {
    const { status, stderr } = run('pack', 'tree', '-o', 'tree/x.shoal');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^shoal: pack: /);
    expect(readdirSync(join(directory, 'tree'))).toEqual(['file']);
  });

  test.each(['x.shoal', 'x.tar'])('does not replace %s without --force', (name) => {
    writeFileSync(join(directory, name), 'precious');
    const { status, stderr } = run('pack', 'tree', '-o', 'x.shoal');
    expect(status).toBe(2);
    expect(stderr).toContain('--force');
    expect(stderr).toMatch(new RegExp(`\n {2}path: .*${name}\n`));
    expect(readFileSync(join(directory, name), 'utf8')).toBe('precious');
    expect(run('pack', 'tree', '-o', 'x.shoal', '--force').status).toBe(0);
  });

  test('tells of a source that is not there', () => {
    const { status, stderr } = run('pack', 'nothing', '-o', 'x.shoal');
    expect(status).toBe(1);
    expect(stderr).toMatch(/\n {2}path: .*nothing\n/);
    expect(readdirSync(directory)).toEqual(['tree']);
  });

  test('takes no output without the ending of an index', () => {
    const { status } = run('pack', 'tree', '-o', 'x.zip');
    expect(status).toBe(2);
    expect(readdirSync(directory)).toEqual(['tree']);
  });
});

describe('shoal mount', () => {
  beforeEach((ctx) => {
    const reason = fuseUnavailable();
    if (reason !== undefined) ctx.skip(reason);
    expect(run('pack', 'tree', '-o', 'x.shoal').status).toBe(0);
  });

  test('needs a directory to mount on', () => {
    const { status, stderr } = run('mount', 'x.shoal', 'nothing');
    expect(status).toBe(2);
    expect(stderr).toMatch(/expected a directory to mount on, found nothing/);
    expect(existsSync(join(directory, 'nothing'))).toBe(false);
  });

  test('does not hide files', () => {
    const { status, stderr } = run('mount', 'x.shoal', 'tree');
    expect(status).toBe(2);
    expect(stderr).toMatch(/expected an empty directory to mount on/);
    expect(readFileSync(join(directory, 'tree', 'file'), 'utf8')).toBe('content');
  });

  test('takes options behind its operands', () => {
    mkdirSync(join(directory, 'here'));
    expect(run('mount', 'x.shoal', 'here', '-o', `uid=${process.getuid?.()}`, '-o', 'umask=077')).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(readFileSync(join(directory, 'here', 'file'), 'utf8')).toBe('content');
    expect(run('unmount', 'here')).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(run('mount', 'x.shoal', 'here')).toMatchObject({ status: 0 });
    expect(run('unmount', 'here', '--json')).toMatchObject({ status: 0, stdout: '{"directory":"here"}\n', stderr: '' });
  });
});

test('shoal unmount says that nothing is mounted', () => {
  const { status, stderr } = run('unmount', 'tree');
  expect(status).toBe(1);
  expect(stderr).toMatch(/^shoal: unmount: expected a Shoal mount, found nothing mounted here/);
});

test('shoal extract needs a directory that is there', () => {
  expect(run('pack', 'tree', '-o', 'x.shoal').status).toBe(0);
  const { status, stderr } = run('extract', 'x.shoal', '-C', 'nothing');
  expect(status).toBe(1);
  expect(stderr).toMatch(/\n {2}path: .*nothing\n/);
});
