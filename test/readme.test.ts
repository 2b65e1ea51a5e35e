import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fuseUnavailable } from './support/fuse-available.ts';
import { shoalProgram } from './support/run-shoal.ts';

/** A command of the README's tour and the output that is shown for it, in which `…` stands for anything. */
interface Step {
  readonly command: string;
  readonly output: string;
  readonly needsMount: boolean;
}

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'shoal-readme-'));
  mkdirSync(join(directory, 'bin'));
  mkdirSync(join(directory, 'tour'));
  symlinkSync(shoalProgram, join(directory, 'bin', 'shoal'));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('the tour of the README runs as shown:', () => {
  const found = steps(readme);
  test('it has commands', () => expect(found.length).toBeGreaterThan(20));

  test.for(found)('$command', ({ command, output, needsMount }, ctx) => {
    const reason = needsMount ? fuseUnavailable() : undefined;
    if (reason !== undefined) ctx.skip(reason);
    const path = `${join(directory, 'bin')}:${process.env['PATH']}`;
    const ran = spawnSync('bash', ['-c', `exec 2>&1; ${command}`], {
      cwd: join(directory, 'tour'),
      env: { ...process.env, PATH: path, LC_ALL: 'C' },
      encoding: 'utf8',
    });
    expect(ran.stdout).toMatch(pattern(output));
    expect(ran.status).toBe(0);
  });
});

test('the README shows every command of the command line', () => {
  const { stdout } = spawnSync(process.execPath, [shoalProgram, '--help'], { encoding: 'utf8' });
  const commands = [...stdout.matchAll(/^ {2}([a-z]+) \[options\]/gm)].map((match) => match[1]);
  expect(commands.length).toBeGreaterThan(10);
  for (const command of commands) expect(readme).toContain(`| \`shoal ${command} `);
});

function steps(text: string): Step[] {
  return [...text.matchAll(/^```console( mount)?\n(.*?)^```$/gms)].flatMap(([, mount, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((step) => {
        const end = step.indexOf('\n');
        return { command: step.slice(0, end), output: step.slice(end + 1), needsMount: mount !== undefined };
      }),
  );
}

/** `…` at the end of a line is the rest of it, alone on the last line any number of lines. */
function pattern(output: string): RegExp {
  const escaped = output.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/^…\n$/m, '[^]*').replaceAll('…', '.*')}$`);
}

test('the library example of the README runs', () => {
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
  const library = new URL('../dist/index.js', import.meta.url).href;
  const place = mkdtempSync(join(directory, 'library-'));
  mkdirSync(join(place, 'photos', 'cats'), { recursive: true });
  writeFileSync(join(place, 'photos', 'cats', '1.txt'), 'meow');
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', example.replace("'shoal'", `'${library}'`)], {
    cwd: place,
    encoding: 'utf8',
  });
  expect(ran).toMatchObject({ status: 0, stdout: 'meow\n', stderr: '' });
});
