import { readdirSync, readFileSync } from 'node:fs';
import type { Contender } from '../contender.ts';
import { isRoot } from '../page-cache.ts';
import { isInstalled, runCommand } from '../run-command.ts';

/** A new archive, and nothing said about it. */
export const quietly = ['-noappend', '-no-progress', '-quiet'] as const;

/** Without compression, as Shoal's volume is. */
export const mksquashfs: Contender = {
  name: 'mksquashfs, uncompressed',
  kind: 'squashfs',
  unavailable: () => missing('mksquashfs'),
  pack: ({ source, archive }) => ['mksquashfs', source, archive, '-noI', '-noD', '-noF', '-noX', ...quietly],
  extract: ({ archive }, into) => ['unsquashfs', '-quiet', '-no-progress', '-force', '-dest', into, archive],
};

export const squashfuse: Contender = {
  name: 'squashfuse_ll',
  kind: 'squashfs',
  unavailable: () => missing('mksquashfs') ?? missing('squashfuse_ll') ?? missing('fusermount3'),
  mount: ({ archive }, at) => {
    runCommand(['squashfuse_ll', archive, at]);
    return { root: at, server: findProcess(at), unmount: () => runCommand(['fusermount3', '-u', at]) };
  },
};

export const kernelSquashfs: Contender = {
  name: 'kernel squashfs',
  kind: 'squashfs',
  unavailable: () => missing('mksquashfs') ?? (isRoot ? undefined : 'a loop mount needs root'),
  mount: ({ archive }, at) => {
    runCommand(['mount', '-t', 'squashfs', '-o', 'loop,ro', archive, at]);
    return { root: at, unmount: () => runCommand(['umount', at]) };
  },
};

/** The process with this argument. */
function findProcess(argument: string): number {
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      if (readFileSync(`/proc/${name}/cmdline`, 'latin1').split('\0').includes(argument)) return Number(name);
    } catch {
      // a process that ended meanwhile
    }
  }
  throw new Error(`no process was found that serves ${argument}`);
}

function missing(program: string): string | undefined {
  return isInstalled(program) ? undefined : `${program} is not installed`;
}
