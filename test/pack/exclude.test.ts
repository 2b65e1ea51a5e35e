import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { runShell, runShoal } from '../support/run-shoal.ts';
import { walkedPaths } from '../support/walked-files.ts';
import { namesIn, packError } from './image-files.ts';
import { scratchDirectory } from './pack-process.ts';

const scratch = scratchDirectory();
const tree = join(scratch.path, 'tree');
const files = [
  'a.tmp',
  'A.TMP',
  'cache/1',
  'sub/a.tmp',
  'sub/cache/2',
  'sub/deep/er/b.log',
  'sub/deep/c.log',
  'x[1]',
  'é',
];

beforeEach(() => makeTree(files));
afterAll(scratch.remove);

function makeTree(paths: readonly string[]): void {
  rmSync(scratch.path, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  for (const path of paths) {
    mkdirSync(join(tree, dirname(path)), { recursive: true });
    writeFileSync(join(tree, path), '');
  }
}

async function excluded(...exclude: string[]): Promise<string[]> {
  const [all, left] = await Promise.all([walkedPaths(tree, {}), walkedPaths(tree, { exclude })]);
  return all.filter((path) => !left.includes(path)).map((path) => Buffer.from(path, 'latin1').toString());
}

describe('a pattern', () => {
  test.each<[string, string[]]>([
    ['a.tmp', ['a.tmp', 'sub/a.tmp']],
    ['*.tmp', ['a.tmp', 'sub/a.tmp']],
    ['/a.tmp', ['a.tmp']],
    ['./a.tmp', ['a.tmp']],
    ['*.[tT][mM][pP]', ['A.TMP', 'a.tmp', 'sub/a.tmp']],
    ['cache', ['cache/', 'cache/1', 'sub/cache/', 'sub/cache/2']],
    ['/cache/', ['cache/', 'cache/1']],
    ['cache/*', ['cache/1']],
    ['sub/*/', ['sub/cache/', 'sub/cache/2', 'sub/deep/', 'sub/deep/c.log', 'sub/deep/er/', 'sub/deep/er/b.log']],
    ['a.tmp/', []],
    ['sub/*.log', []],
    ['sub/**/*.log', ['sub/deep/c.log', 'sub/deep/er/b.log']],
    ['**/deep/*.log', ['sub/deep/c.log']],
    ['sub/deep/**', ['sub/deep/c.log', 'sub/deep/er/', 'sub/deep/er/b.log']],
    ['x\\[1]', ['x[1]']],
    ['x[[]1]', ['x[1]']],
    ['x[1]', []],
    ['?', ['cache/1', 'sub/cache/2']],
    ['??', ['er', 'é'].flatMap((name) => (name === 'er' ? ['sub/deep/er/', 'sub/deep/er/b.log'] : [name]))],
    ['[[:upper:]]*', ['A.TMP']],
    ['[!a-z]*', ['A.TMP', 'cache/1', 'sub/cache/2', 'é']],
  ])('%s leaves out what it names, and nothing else', async (pattern, expected) => {
    expect(await excluded(pattern)).toEqual([...expected].sort());
  });

  test.each(['', '/', '//', './', 'a/../b', '[a', 'a[!', '[[:no:]]', 'a\\', '[a\\'])(
    'that can match nothing, "%s", is a mistake that is told before any work',
    async (pattern) => {
      const error = await packError([tree], join(scratch.path, 'x.shoal'), { exclude: [pattern] });
      expect(error.code).toBe('usage');
      expect(namesIn(scratch.path)).toEqual(['tree']);
    },
  );

  test('of many stars takes no time', async () => {
    makeTree(['a'.repeat(250)]);
    expect(await excluded(`${'*a'.repeat(100)}b`, `${'**/'.repeat(50)}*a*a*a*a*a*b`)).toEqual([]);
  });

  test('that is no UTF-8 matches the bytes', () => {
    const ran = runShell(
      `mkdir -p t && : > $'t/\\xff\\xfe' && : > t/b && shoal pack t -o x.shoal --exclude $'\\xff*' && shoal ls x.shoal`,
      {
        cwd: scratch.path,
      },
    );
    expect(ran).toMatchObject({ status: 0, stdout: expect.stringMatching(/\nb\n$/) });
  });
});

test('patterns of files are read with their comments and empty lines passed over', () => {
  writeFileSync(join(scratch.path, 'patterns'), '# logs\n*.log\n\n\\#no\ncache/\n');
  writeFileSync(join(tree, '#no'), '');
  const options = ['--exclude-from', 'patterns', '--exclude', '*.tmp', '--json'];
  const ran = runShoal(['pack', 'tree', '-o', 'x.shoal', ...options], { cwd: scratch.path });
  expect(ran.status).toBe(0);
  expect(JSON.parse(ran.stdout)).toMatchObject({ excluded: 7 });
  const listed = runShoal(['ls', '-R', 'x.shoal'], { cwd: scratch.path }).stdout;
  for (const name of ['.log', 'cache', 'a.tmp', '#no']) expect(listed).not.toContain(name);
  expect(listed).toContain('deep');
});

test('a file of patterns that is not there is named', () => {
  const ran = runShoal(['pack', 'tree', '-o', 'x.shoal', '--exclude-from', 'none'], { cwd: scratch.path });
  expect(ran).toMatchObject({ status: 1, stderr: expect.stringContaining('none') });
});

const gitMissing = spawnSync('git', ['--version']).status !== 0;

test.skipIf(gitMissing)('patterns mean what they mean to git', async () => {
  const name = fc.constantFrom('a', 'b', 'ab', 'a.b', 'B', 'a-b', 'a]b', 'a*', 'bb');
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
  const piece = fc.constantFrom(
    'a',
    'b',
    'ab',
    '*',
    '?',
    '[ab]',
    '[!a]',
    '[a-]',
    '[]a]',
    '.',
    '-',
    '\\*',
    'B',
    '[[:lower:]]',
  );
  const component = fc.oneof(
    // Two stars beside other text are one star. Git compares the text before the first star on its own, and takes those behind it for a `**` of their own:
    // to it `a**/**` matches the file `a`.
    fc
      .array(piece, { minLength: 1, maxLength: 3 })
      .map((pieces) => pieces.join(''))
      .filter((text) => text === '**' || !text.includes('**')),
    fc.constant('**'),
  );
  const pattern = fc
    .tuple(fc.constantFrom('', '/'), fc.array(component, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '', '/'))
    .filter(([, components]) => !components.some((each) => each === '.' || each === '..'))
    .map(([first, components, last]) => `${first}${components.join('/')}${last}`);
  await fc.assert(
    fc.asyncProperty(
      fc.array(path, { minLength: 1, maxLength: 12 }),
      fc.array(pattern, { minLength: 1, maxLength: 3 }),
      async (paths, exclude) => {
        // A name is a directory or a file: what lies in another's way is left out.
        makeTree(
          paths.filter(
            (each, i) =>
              !paths.some((other, j) => (j !== i && other.startsWith(`${each}/`)) || (j < i && other === each)),
          ),
        );
        writeFileSync(join(scratch.path, 'patterns'), `${exclude.join('\n')}\n`);
        const git = ['--git-dir', join(scratch.path, 'git'), '--work-tree', tree];
        execFileSync('git', [...git, 'init', '-q'], { stdio: 'ignore' });
        const listed = execFileSync('git', [...git, 'ls-files', '-o', '-z', '-X', join(scratch.path, 'patterns')], {
          cwd: tree,
          encoding: 'utf8',
        });
        const expected = listed
          .split('\0')
          .filter((each) => each !== '')
          .sort();
        expect((await walkedPaths(tree, { exclude })).filter((each) => !each.endsWith('/'))).toEqual(expected);
      },
    ),
    { numRuns: 80 },
  );
});
