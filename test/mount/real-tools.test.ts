import { execFileSync, spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { type Scene, scene } from './scene.ts';

/** Programs that people run over trees: each tells the same of a mount as of the directory that was packed. */

/** A scene whose source has these files, mounted. `finish` works in the source before it is packed. */
async function mountedFiles(
  ctx: TestContext,
  files: Readonly<Record<string, string>>,
  finish: (source: string) => void = () => {},
): Promise<Scene> {
  const made = scene(ctx);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(made.source, path)), { recursive: true });
    writeFileSync(join(made.source, path), content);
  }
  finish(made.source);
  await made.pack();
  await made.mount();
  return made;
}

/** A tree with links, times, modes and a few sizes. */
function mixedFiles(ctx: TestContext): Promise<Scene> {
  const files = Object.fromEntries(
    Array.from({ length: 200 }, (_, n) => [`d${n % 7}/e${n % 3}/f ${n}`, `content ${n}\n`.repeat(n * n)]),
  );
  return mountedFiles(ctx, { ...files, empty: '', 'run.sh': '#!/bin/sh\necho ran\n' }, (source) => {
    linkSync(join(source, 'd1/e1/f 1'), join(source, 'second name'));
    symlinkSync('d1/e1', join(source, 'link'));
    symlinkSync('/nowhere', join(source, 'dangling'));
    execFileSync('chmod', ['750', join(source, 'run.sh')]);
    for (let n = 0; n < 200; n++) {
      utimesSync(join(source, `d${n % 7}/e${n % 3}/f ${n}`), 1_600_000_000, 1_600_000_000 + n / 8);
    }
  });
}

/** What a shell command prints when it runs in `directory`; its error output counts, too, for a tool that has something to complain about. */
function output(command: string, directory: string, environment: Readonly<Record<string, string>> = {}): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', HOME: '/nonexistent', ...environment },
    maxBuffer: 1 << 28,
  });
  expect({ command, status, stderr }).toEqual({ command, status: 0, stderr: '' });
  return stdout;
}

function expectSame(
  { source, directory }: Scene,
  command: string,
  environment?: Readonly<Record<string, string>>,
): void {
  const expected = output(command, source, environment);
  expect(expected).not.toBe('');
  expect(output(command, directory, environment)).toBe(expected);
}

function needs(ctx: TestContext, ...programs: readonly string[]): void {
  for (const program of programs) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) ctx.skip(`${program} is not installed`);
  }
}

test('a C++ compiler builds a project whose sources and headers are in the mount', async (ctx) => {
  needs(ctx, 'c++');
  const headers = Array.from({ length: 50 }, (_, n) => [
    `include/part/p${n}.h`,
    `#pragma once\ninline int p${n}() { return ${n}; }\n`,
  ]);
  const parts = Array.from({ length: 50 }, (_, n) => n);
  const project = await mountedFiles(ctx, {
    ...Object.fromEntries(headers),
    'include/all.h': `#pragma once\n${parts.map((n) => `#include "part/p${n}.h"\n`).join('')}`,
    'src/sum.cc': `#include <all.h>\nint sum() { return ${parts.map((n) => `p${n}()`).join(' + ')}; }\n`,
    'src/main.cc': '#include <cstdio>\nint sum();\nint main() { std::printf("%d from %s\\n", sum(), __FILE__); }\n',
  });
  expectSame(project, 'c++ -Iinclude -MM src/sum.cc');
  const program = join(project.root, 'program');
  output(`c++ -std=c++17 -Iinclude src/main.cc src/sum.cc -o '${program}'`, project.directory);
  expect(output(program, project.root)).toBe('1225 from src/main.cc\n');
});

test.for([
  ['without compiled modules', false],
  ['with compiled modules, which are used', true],
] as const)('python imports a package from the mount, %s', async ([, compiled], ctx) => {
  needs(ctx, 'python3');
  const modules = Array.from({ length: 40 }, (_, n) => [`package/below/m${n}.py`, `value = ${n}\n`]);
  const imports = modules.map((_, n) => `from .below import m${n}\n`).join('');
  const made = await mountedFiles(
    ctx,
    {
      ...Object.fromEntries(modules),
      'package/below/__init__.py': '',
      'package/__init__.py': `${imports}total = ${modules.map((_, n) => `m${n}.value`).join(' + ')}\n`,
      'package/data.txt': 'told by importlib',
    },
    (source) => {
      if (compiled) execFileSync('python3', ['-m', 'compileall', '-q', source]);
    },
  );
  const script =
    'import package, importlib.resources as r; print(package.total, r.files("package").joinpath("data.txt").read_text())';
  const environment = { PYTHONPATH: made.directory, PYTHONDONTWRITEBYTECODE: '' };
  expect(output(`python3 -c '${script}'`, made.root, environment)).toBe('780 told by importlib\n');
  const verbose = output('python3 -v -c "import package" 2>&1', made.root, environment);
  const used = verbose.split('\n').filter((line) => line.includes(`${made.directory}/`) && line.includes(' matches '));
  expect(used.length).toBe(compiled ? 42 : 0);
});

test('git shows status, differences and history of a repository in the mount, and finds it sound', async (ctx) => {
  needs(ctx, 'git');
  const commit = 'git -c user.name=A -c user.email=a@b.c commit -q -m';
  const made = await mountedFiles(
    ctx,
    { 'a/one': '1\n', 'a/two': '2\n', three: '3\n', '.gitignore': 'ignored\n' },
    (source) => {
      output(`git init -q -b main && git add . && ${commit} first`, source);
      output(`echo more >> a/one && git rm -q three && git add . && ${commit} second && git gc -q`, source);
      output('echo changed >> a/two && echo new > untracked && echo x > ignored', source);
    },
  );
  const readOnly = { GIT_OPTIONAL_LOCKS: '0', GIT_CONFIG_GLOBAL: '/dev/null' };
  expect(output('git status --porcelain', made.directory, readOnly)).toBe(' M a/two\n?? untracked\n');
  for (const command of ['status', 'diff', 'log --stat -p', 'ls-files -s', 'grep -n 2', 'cat-file -p HEAD:a/one']) {
    expectSame(made, `git ${command}`, readOnly);
  }
  expect(output('git fsck --full --strict 2>&1', made.directory, readOnly)).not.toMatch(/error|missing|corrupt/);
  output(`git clone -q '${made.directory}' clone && cmp clone/a/one '${made.directory}/a/one'`, made.root, readOnly);
});

test('rsync finds no difference in content or attributes, in either direction', async (ctx) => {
  needs(ctx, 'rsync');
  const { root, source, directory } = await mixedFiles(ctx);
  const compare = 'rsync -aH --checksum --delete --dry-run --itemize-changes';
  expect(output(`${compare} '${source}/' '${directory}/'`, root)).toBe('');
  expect(output(`${compare} '${directory}/' '${source}/'`, root)).toBe('');
  writeFileSync(join(source, 'empty'), 'no longer');
  expect(output(`${compare} '${directory}/' '${source}/'`, root)).toContain(' empty\n');
});

test('du counts the same bytes, names of one file once, and as blocks what the bytes need', async (ctx) => {
  const made = await mixedFiles(ctx);
  // Directories have the length that their filesystem gives them.
  const files = 'while read -r size path; do [ -d "$path" ] || echo';
  expectSame(made, `du --all --apparent-size --block-size=1 . | ${files} "$size"; done | sort`);
  expectSame(made, `du --all --apparent-size --block-size=1 --count-links . | ${files} "$size $path"; done | sort`);
  const sizes = output("find . -type f -printf '%s %b\\n'", made.directory).trimEnd().split('\n');
  for (const line of sizes) {
    const [size, blocks] = line.split(' ').map(Number) as [number, number];
    expect(blocks).toBe(Math.ceil(size / 512));
  }
});

test('tar, cp and find see the same names, content, modes, owners, links and times', async (ctx) => {
  const made = await mixedFiles(ctx);
  expectSame(made, 'tar --format=gnu --sort=name --numeric-owner -cf - . | sha256sum');
  expectSame(made, "find . -newer 'd2/e1/f 100' | sort");
  expectSame(made, 'find . -type f -print0 | sort -z | xargs -0 sha256sum');
  expectSame(made, 'grep -rl "content 19[0-9]" . | sort');
  const copy = join(made.root, 'copy');
  output(`cp -a . '${copy}' && diff -r --no-dereference . '${copy}'`, made.directory);
  const attributes = "find . -printf '%P %y %m %n %U %G %T@ %l\\n' | sort";
  expect(output(attributes, copy)).toBe(output(attributes, made.source));
});

test('a script runs in the mount, and files there can be locked, by one at a time', async (ctx) => {
  needs(ctx, 'flock', 'python3');
  const { directory } = await mixedFiles(ctx);
  expect(output('./run.sh', directory)).toBe('ran\n');
  expect(
    output('flock --exclusive empty flock --nonblock --conflict-exit-code 0 empty echo both; echo one', directory),
  ).toBe('one\n');
  const script =
    'import fcntl; f = open("run.sh"); fcntl.lockf(f, fcntl.LOCK_SH); fcntl.flock(f, fcntl.LOCK_EX); print("locked")';
  expect(output(`python3 -c '${script}'`, directory)).toBe('locked\n');
});

test('a database in the mount can be queried', async (ctx) => {
  needs(ctx, 'python3');
  const python = (statement: string) => `python3 -c 'import sqlite3; ${statement}'`;
  const made = await mountedFiles(ctx, {}, (source) => {
    const rows = 'c.executemany("insert into t values (?, ?)", [(n, "x" * n) for n in range(1000)])';
    output(python(`c = sqlite3.connect("data.db"); c.execute("create table t (n, x)"); ${rows}; c.commit()`), source);
  });
  const query = 'select sum(n), sum(length(x)) from t';
  expectSame(made, python(`print(*sqlite3.connect("file:data.db?mode=ro", uri=True).execute("${query}"))`));
});

test('Node requires and imports packages from the mount, also through links', async (ctx) => {
  const made = await mountedFiles(
    ctx,
    {
      'store/dep/package.json': '{"name":"dep","exports":{"require":"./main.cjs","import":"./main.mjs"}}',
      'store/dep/main.cjs': 'exports.from = "require";',
      'store/dep/main.mjs': 'export const from = "import";',
      'app/main.cjs':
        'console.log(require("dep").from, require("./data.json").n);import("dep").then((dep) => console.log(dep.from));',
      'app/data.json': '{"n":3}',
    },
    (source) => {
      mkdirSync(join(source, 'app/node_modules'));
      symlinkSync('../../store/dep', join(source, 'app/node_modules/dep'));
    },
  );
  expectSame(made, `'${process.execPath}' app/main.cjs`);
});
