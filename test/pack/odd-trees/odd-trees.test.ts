import { openSync } from 'node:fs';
import { afterAll, expect, test, vi } from 'vitest';
import type { Progress } from '../../../src/base/progress.ts';
import type * as longWork from '../../../src/cli/long-work.ts';
import { run } from '../../../src/cli/run.ts';
import type * as output from '../../../src/cli/standard-output.ts';
import { scratchDirectory } from '../pack-process.ts';
import { changing } from './changing.ts';
import { contents } from './contents.ts';
import { depth } from './depth.ts';
import { directories } from './directories.ts';
import { links } from './links.ts';
import { metadata } from './metadata.ts';
import { names } from './names.ts';
import type { OddTree } from './odd-tree.ts';
import { outputs } from './outputs.ts';
import { permissions } from './permissions.ts';
import { type Ending, type InProcess, runOddTree } from './run-odd-tree.ts';
import { sources } from './sources.ts';
import { specialFiles } from './special-files.ts';

const told = vi.hoisted(() => ({ text: '', onProgress: undefined as ((progress: Progress) => void) | undefined }));

// The command itself, of which a process of its own would cost a third of a second for each case.
vi.mock('../../../src/cli/messages.ts', () => ({
  writeMessage: (text: string) => {
    told.text += text;
  },
  printMessage: (line: string) => {
    told.text += `${line}\n`;
  },
}));
vi.mock('../../../src/cli/standard-output.ts', async (actual) => {
  const module = await actual<typeof output>();
  return { ...module, standardOutput: new module.StandardOutput(openSync('/dev/null', 'w')) };
});
vi.mock('../../../src/cli/long-work.ts', async (actual): Promise<typeof longWork> => {
  await actual<typeof longWork>();
  return {
    longWork: async (_, __, work) =>
      await work({ signal: new AbortController().signal, onProgress: (progress) => told.onProgress?.(progress) }),
  };
});

const themes: Readonly<Record<string, readonly OddTree[]>> = {
  names,
  links,
  depth,
  'special files': specialFiles,
  permissions,
  metadata,
  contents,
  directories,
  changing,
  sources,
  outputs,
};
const all = Object.values(themes).flat();
const scratch = scratchDirectory();
afterAll(scratch.remove);

const inProcess: InProcess = async (args, hook): Promise<Ending> => {
  told.text = '';
  let happened = hook === undefined;
  told.onProgress = ({ entriesDone }) => {
    if (happened || hook === undefined || entriesDone < hook[0]) return;
    happened = true;
    hook[1]();
  };
  const before = process.exitCode;
  const listeners = process.listeners('uncaughtException');
  process.exitCode = undefined;
  try {
    await run(args);
    expect(happened).toBe(true);
    return { status: Number(process.exitCode ?? 0), stderr: told.text };
  } finally {
    process.exitCode = before;
    for (const listener of process.listeners('uncaughtException')) {
      if (!listeners.includes(listener)) process.off('uncaughtException', listener);
    }
  }
};

test('there are at least two hundred, no two of them alike', () => {
  console.log(`${all.length} odd trees`);
  expect(all.length).toBeGreaterThanOrEqual(200);
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  const requests = all.map(({ name: _, ...odd }) => JSON.stringify({ ...odd, told: `${odd.told}` }));
  expect(new Set(requests).size).toBe(all.length);
});

for (const [theme, cases] of Object.entries(themes)) {
  for (const odd of cases) {
    test(`${theme}: ${odd.name}`, async (ctx) => {
      if (odd.root && process.getuid?.() !== 0) ctx.skip('needs root');
      await runOddTree(scratch.path, odd, inProcess);
    });
  }
}
