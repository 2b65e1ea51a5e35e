import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { version } from '../../src/base/version.ts';
import { runShoal } from '../support/run-shoal.ts';

const commands = 'pack,index,mount,unmount,exec,stats,ls,stat,du,cat,extract,info,verify'.split(',');

describe('shoal --help', () => {
  test('lists every command, the exit codes and examples', () => {
    const { status, stdout, stderr } = runShoal(['--help']);
    expect(status).toBe(0);
    expect(stderr).toBe('');
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(stdout).toContain('Exit codes: 0 done, 1 failed, 2 usage, 3 damaged or different data, 4 done in part.');
    expect(stdout).toContain('Examples:\n');
  });

  test.each(commands)('of %s has examples that run it, and the options that all commands have', (command) => {
    const { status, stdout, stderr } = runShoal([command, '--help']);
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(new RegExp(`Examples:\n  shoal ${command} .*  # `));
    for (const option of ['--json', '--quiet', '--verbose', '--help']) expect(stdout).toContain(option);
    expect(runShoal(['help', command]).stdout).toBe(stdout);
  });

  test('is what shoal alone shows, as an error', () => {
    const { status, stdout, stderr } = runShoal([]);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('Usage: shoal');
  });
});

test('shoal --version says the version of the package', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  expect(version).toBe(manifest.version);
  expect(runShoal(['--version'])).toMatchObject({ status: 0, stdout: `shoal ${version}\n`, stderr: '' });
});
