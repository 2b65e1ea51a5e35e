import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach } from 'vitest';
import { killUnawaited, type PackCommand, spinUntil, startCommand } from './pack-command.ts';
import { scratchDirectory } from './pack-process.ts';

/** A tree, and a directory `place`, empty before each test, in which it is packed by runs that are stopped. */
export interface ResumeScene {
  readonly scratch: string;
  readonly tree: string;
  readonly place: string;
  readonly image: string;
  /** Of the run. */
  readonly partial: string;
  readonly journal: string;
  /** Begins to pack, with a checkpoint every millisecond. */
  start(...options: readonly string[]): PackCommand;
  /** Kills a run that has published nothing, when its journal has more than so many bytes and `isBegun` says so. */
  killRun(length: number, options: readonly string[], isBegun?: () => boolean): void;
}

export function resumeScene(): ResumeScene {
  const { path: scratch, remove } = scratchDirectory();
  const place = join(scratch, 'place');
  const image = join(place, 'x.shoal');
  const partial = join(place, 'x.shoal.partial');
  const journal = join(partial, 'journal');
  const empty = () => {
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place);
  };
  const start = (...options: readonly string[]) =>
    startCommand(scratch, 'tree', '-o', 'place/x.shoal', '-q', '--checkpoint', '0.001', ...options);
  beforeEach(empty);
  afterAll(remove);
  return {
    scratch,
    tree: join(scratch, 'tree'),
    place,
    image,
    partial,
    journal,
    start,
    killRun: (length, options, isBegun = () => true) => {
      for (;;) {
        const command = start(...options);
        const isDurable = spinUntil(command, () => (statSync(journal, { throwIfNoEntry: false })?.size ?? 0) > length);
        killUnawaited(command);
        // It may have been quicker than we.
        if (isDurable && !existsSync(image) && isBegun()) return;
        empty();
      }
    },
  };
}
