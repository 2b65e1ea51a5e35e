import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { extractImage } from '../../../src/image/extract.ts';
import { verifyImage } from '../../../src/image/verify.ts';
import { compareTrees } from '../../compare-trees.ts';
import { removeTree } from '../../support/remove-tree.ts';
import { shoalProgram } from '../../support/run-shoal.ts';
import type { OddPlace, OddTree } from './odd-tree.ts';

/** How a command ended. */
export interface Ending {
  readonly status: number | null;
  readonly stderr: string;
}

/** Runs `shoal` in this process; calls `hook` when a job has done so many entries, all that it has. */
export type InProcess = (args: readonly string[], hook: readonly [number, () => void] | undefined) => Promise<Ending>;

const nobody = 65534;

/** Builds the case in a directory of its own, packs it, and holds the outcome against what is expected. */
export async function runOddTree(scratch: string, odd: OddTree, inProcess: InProcess): Promise<void> {
  const path = join(scratch, 'p');
  const place: OddPlace = { path, tree: join(path, 'tree') };
  mkdirSync(place.tree, { recursive: true });
  try {
    script(place, odd.make);
    const ending = await pack(place, odd, inProcess);
    expectTold(ending.stderr, odd.told ?? []);
    expect({ ...ending, stderr: '' }).toEqual({ status: odd.status ?? 0, stderr: '' });
    if (odd.holds !== undefined) script(place, odd.holds);
    const image = join(path, odd.output ?? 'x.shoal');
    if (ending.status === 0 || ending.status === 4) await expectImage(place, odd, image);
    else if (!odd.make.includes('x.')) expect(readdirSync(path).filter((name) => name.startsWith('x.'))).toEqual([]);
  } finally {
    if (odd.clear !== undefined) script(place, odd.clear);
    removeTree(path);
  }
}

async function pack(place: OddPlace, odd: OddTree, inProcess: InProcess): Promise<Ending> {
  const sources = (odd.sources ?? ['tree']).map((source) => (source === '' ? '' : `${place.path}/${source}`));
  const args = [
    'pack',
    // Progress is told while it is slow.
    ...(odd.run === undefined ? [] : ['--quiet']),
    ...(odd.options ?? []).map((option) => option.replace('$PLACE', place.path)),
    '-o',
    `${place.path}/${odd.output ?? 'x.shoal'}`,
    '--',
    ...sources,
  ];
  if (odd.run === undefined) {
    const [entries, change] = odd.during ?? [0, ''];
    const hook = odd.during && ([entries, () => script(place, change)] as const);
    return await inProcess(args, hook);
  }
  const beside = odd.beside === undefined ? undefined : spawn('bash', ['-c', odd.beside], inPlace(place));
  if (beside !== undefined) await once(beside.stdout as NonNullable<typeof beside.stdout>, 'data');
  try {
    const other = odd.run === 'other' && process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
    if (odd.run === 'other') script(place, 'chmod 777 "$PLACE" && chmod 755 "$PLACE/.."');
    // Not spawnSync: what runs beside is heard out meanwhile.
    const child = spawn(process.execPath, [shoalProgram, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      ...other,
    });
    let stderr = '';
    child.stderr.on('data', (part) => {
      stderr += part;
    });
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, stderr };
  } finally {
    if (beside !== undefined && beside.exitCode === null) {
      beside.kill('SIGKILL');
      await once(beside, 'exit');
    }
  }
}

function inPlace({ path, tree }: OddPlace): { cwd: string; env: NodeJS.ProcessEnv } {
  return { cwd: existsSync(tree) ? tree : path, env: { ...process.env, PLACE: path, LC_ALL: 'C' } };
}

function script(place: OddPlace, text: string): void {
  const ran = spawnSync('bash', ['-ec', text], { ...inPlace(place), encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`a script of the case ended with ${ran.status}: ${ran.stderr}`);
}

function expectTold(stderr: string, told: readonly RegExp[]): void {
  const lines = stderr.split('\n').filter((line) => line !== '');
  const unexpected = lines.filter((line) => !told.some((pattern) => pattern.test(line)));
  const missing = told.filter((pattern) => !lines.some((line) => pattern.test(line)));
  expect({ unexpected, missing }, stderr.slice(0, 2000)).toEqual({ unexpected: [], missing: [] });
}

/** The image is whole, and gives back what the sources have. */
async function expectImage(place: OddPlace, odd: OddTree, image: string): Promise<void> {
  expect((await verifyImage(image)).problems).toEqual([]);
  const copy = join(place.path, '.copy');
  mkdirSync(copy);
  const volume = image.replace(/\.shoal$/, '.tar');
  if ((odd.by ?? 'tar') === 'tar' && existsSync(volume)) {
    const tar = spawnSync(
      'tar',
      ['-C', copy, '--xattrs', '--xattrs-include=*', '--numeric-owner', '--warning=no-timestamp', '-xpf', volume],
      {
        encoding: 'utf8',
        env: { ...process.env, LC_ALL: 'C' },
      },
    );
    expect({ status: tar.status, stderr: tar.stderr }).toEqual({ status: 0, stderr: '' });
  } else {
    expect((await extractImage(image, copy)).problems).toEqual([]);
  }
  if (odd.by === 'verify') {
    for (const directory of [place.tree, copy].filter(existsSync)) {
      const { problems, differences } = await verifyImage(image, { against: directory });
      expect({ problems, differences }).toEqual({ problems: [], differences: [] });
    }
    return;
  }
  const expected = join(place.path, '.expected');
  const { sources = ['tree'], lacks = [] } = odd;
  const whole = sources.length === 1 && spawnSync('test', ['-d', join(place.path, sources[0] as string)]).status === 0;
  if (whole && lacks.length === 0) {
    const ignore = ['sockets', ...(odd.ignore ?? [])];
    expect(await compareTrees(join(place.path, sources[0] as string), copy, { ignore })).toEqual([]);
    return;
  }
  mkdirSync(expected);
  const made = whole ? [] : ['mode', 'mtime'];
  const from = sources.map((source) => join(place.path, source));
  if (whole) {
    spawnSync('bash', [
      '-c',
      'shopt -s dotglob nullglob; cp -a "$0"/* "$1"; touch -r "$0" "$1"; chmod --reference="$0" "$1"; chown --reference="$0" "$1"',
      from[0] as string,
      expected,
    ]);
  } else {
    for (const source of from) spawnSync('cp', ['-aH', source, join(expected, basename(source))]);
  }
  for (const name of lacks) {
    const forget = 'at="$0/$1"; up=$(dirname "$at"); touch -r "$up" "$0.mark"; rm -rf "$at"; touch -r "$0.mark" "$up"';
    spawnSync('bash', ['-c', forget, expected, name]);
  }
  const ignore = ['nlink', ...(whole ? [] : made), ...(odd.ignore ?? [])];
  expect(await compareTrees(expected, copy, { ignore })).toEqual([]);
}
