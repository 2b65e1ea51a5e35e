import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { documents, runShell, runShoal, shoalProgram } from '../support/run-shoal.ts';

let directory: string;
const inDirectory = (name: string) => join(directory, name);
const run = (...options: string[]) => runShoal(options, { cwd: directory });

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'shoal-trip-'));
  mkdirSync(inDirectory('tree/sub'), { recursive: true });
  writeFileSync(inDirectory('tree/one'), 'first');
  writeFileSync(inDirectory('tree/sub/two'), 'second');
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('shoal pack', () => {
  test('tells what it made', () => {
    const { status, stdout, stderr } = run('pack', 'tree', '-o', 'x.shoal');
    expect(stdout).toMatch(
      /^x\.shoal: 4 entries, 11 bytes of content in an image of \S+; \S+ s, .*; 4 inodes in 2 files\n$/,
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(readdirSync(directory).sort()).toEqual(['tree', 'x.shoal', 'x.tar']);
  });

  test('tells machines, and with --quiet nobody', () => {
    const [document] = documents(run('pack', 'tree', '-o', 'x.shoal', '--json').stdout);
    expect(document).toMatchObject({ image: 'x.shoal', entries: 4, bytes: 11, skipped: [] });
    expect(document?.['id']).toBe(documents(run('info', '--json', 'x.shoal').stdout)[0]?.['id']);
    expect(run('pack', 'tree', '-o', 'y.shoal', '--quiet')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  test('stores metadata, and provenance only if asked for', () => {
    run('pack', 'tree', '-o', 'x.shoal', '--meta', 'licence=CC0', '--meta', 'a=b=c');
    const plain = documents(run('info', '--json', 'x.shoal').stdout)[0]?.['metadata'] as Record<string, string>;
    expect(plain).toEqual({ 'shoal.version': expect.any(String), a: 'b=c', licence: 'CC0' });
    run('pack', 'tree', '-o', 'y.shoal', '--provenance');
    const told = documents(run('info', '--json', 'y.shoal').stdout)[0]?.['metadata'] as Record<string, string>;
    expect(Object.keys(told)).toEqual(
      expect.arrayContaining(['shoal.source', 'shoal.host', 'shoal.time', 'shoal.command']),
    );
  });

  test('lists the sockets that it leaves out', async () => {
    const server = createServer().listen(inDirectory('tree/sub/socket'));
    await once(server, 'listening');
    const { status, stdout, stderr } = run('pack', 'tree', '-o', 'x.shoal');
    server.close();
    expect(stderr).toMatch(/^shoal: pack: skipped .*sub\/socket: /);
    expect(stdout).toMatch(/^x\.shoal: 4 entries/);
    expect(status).toBe(0);
  });

  test('takes names that are no UTF-8', () => {
    const made = runShell(
      "mkdir $'t\\xff' && echo x > $'t\\xff/f\\xfe' && shoal pack $'t\\xff' -o $'i\\xff.shoal' && shoal ls $'i\\xff.shoal'",
      {
        cwd: directory,
      },
    );
    expect(made.stderr).toBe('');
    expect(made.stdoutBytes.subarray(-3)).toEqual(Buffer.from([0x66, 0xfe, 0x0a]));
    expect(readdirSync(directory, 'buffer')).toContainEqual(Buffer.from('i\xff.tar', 'latin1'));
  });

  test('interrupted leaves nothing, says so and ends as shells expect', async () => {
    for (let i = 0; i < 300; i++) writeFileSync(inDirectory(`tree/${i}`), Buffer.alloc(1_000_000, i));
    const child = spawn(process.execPath, [shoalProgram, 'pack', 'tree', '-o', 'x.shoal'], { cwd: directory });
    let stderr = '';
    child.stderr.on('data', (part) => (stderr += part));
    const ended = once(child, 'close');
    // The first file of its own says that the work has begun.
    while (readdirSync(directory).length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    child.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    expect(stderr).toBe('shoal: pack: interrupted by SIGINT; what was begun has been removed\n');
    expect(readdirSync(directory)).toEqual(['tree']);
  });
});

describe('shoal index', () => {
  test('makes the same image of a volume', () => {
    run('pack', 'tree', '-o', 'x.shoal');
    const before = readFileSync(inDirectory('x.shoal'));
    rmSync(inDirectory('x.shoal'));
    const { status, stdout } = run('index', 'x.tar');
    expect(stdout).toMatch(/^x\.shoal: 4 entries, 11 bytes of content; \S+ s\n$/);
    expect(status).toBe(0);
    expect(readFileSync(inDirectory('x.shoal')).equals(before)).toBe(true);
    expect(run('index', 'x.tar').status).toBe(2);
    expect(documents(run('index', 'x.tar', '--force', '--json').stdout)).toMatchObject([{ entries: 4, bytes: 11 }]);
  });

  test('makes an image of a tar of others', () => {
    runShell('tar -cf foreign.tar -C tree .', { cwd: directory });
    expect(run('index', 'foreign.tar', '-o', 'y.shoal')).toMatchObject({ status: 0, stderr: '' });
    expect(run('cat', 'y.shoal', 'sub/two').stdout).toBe('second');
  });
});

test('shoal index ends with 4 where members have no place in a tree, and lists them', () => {
  runShell("tar -cf odd.tar -P --transform='s,one,../one,' -C tree .", { cwd: directory });
  const { status, stdout, stderr } = run('index', 'odd.tar');
  expect(stderr).toMatch(/^shoal: index: skipped \S*\.\.\/one: /);
  expect(stdout).toMatch(/^odd\.tar\.shoal: 3 entries, /);
  expect(status).toBe(4);
  expect(run('index', 'odd.tar', '-o', 'index.zip').status).toBe(2);
});

describe('shoal verify', () => {
  beforeEach(() => {
    run('pack', 'tree', '-o', 'x.shoal');
  });

  test('finds a whole image whole', () => {
    expect(run('verify', 'x.shoal')).toMatchObject({
      status: 0,
      stdout: '4 entries, 11 bytes: no damage\n',
      stderr: '',
    });
    expect(run('verify', 'x.shoal', '--quiet')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  test('lists damaged entries', () => {
    const volume = readFileSync(inDirectory('x.tar'));
    volume.write('S', volume.indexOf('second'));
    writeFileSync(inDirectory('x.tar'), volume);
    const { status, stdout } = run('verify', 'x.shoal');
    expect(stdout).toMatch(/^damaged: sub\/two: .*\n4 entries, 11 bytes: 1 damaged\n$/);
    expect(status).toBe(3);
    const [document] = documents(run('verify', '--json', 'x.shoal').stdout);
    expect(document).toMatchObject({ problems: [{ path: 'sub/two', code: 'checksum' }] });
  });

  test('lists differences to a directory', () => {
    expect(run('verify', 'x.shoal', '--against', 'tree').stdout).toBe(
      '4 entries, 11 bytes: no damage, no difference\n',
    );
    writeFileSync(inDirectory('tree/sub/more'), '');
    writeFileSync(inDirectory('tree/one'), 'First');
    const { status, stdout } = run('verify', 'x.shoal', '--against', 'tree');
    expect(stdout).toMatch(/^different: one: /m);
    expect(stdout).toMatch(/^different: sub\/more: /m);
    expect(status).toBe(3);
  });
});

describe('shoal extract', () => {
  beforeEach(() => {
    run('pack', 'tree', '-o', 'x.shoal');
    mkdirSync(inDirectory('out'));
  });

  test('writes everything, or what was named', () => {
    expect(run('extract', 'x.shoal', '-C', 'out', 'sub/two')).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(inDirectory('out'))).toEqual(['sub']);
    expect(run('extract', 'x.shoal', '-C', 'out')).toMatchObject({
      status: 0,
      stdout: 'out: 4 entries, 11 bytes\n',
      stderr: '',
    });
    expect(readFileSync(inDirectory('out/sub/two'), 'utf8')).toBe('second');
  });

  test('ends with 4 where something is left out, and lists it', () => {
    mkdirSync(inDirectory('out/one/in-the-way'), { recursive: true });
    const { status, stderr } = run('extract', 'x.shoal', '-C', 'out');
    expect(stderr).toMatch(/^shoal: extract: one: /);
    expect(status).toBe(4);
    expect(readFileSync(inDirectory('out/sub/two'), 'utf8')).toBe('second');
  });

  test('ends with 3 where something is damaged', () => {
    const volume = readFileSync(inDirectory('x.tar'));
    volume.write('S', volume.indexOf('second'));
    writeFileSync(inDirectory('x.tar'), volume);
    const { status, stderr } = run('extract', 'x.shoal', '-C', 'out');
    expect(stderr).toMatch(/^shoal: extract: sub\/two: /);
    expect(status).toBe(3);
  });
});
