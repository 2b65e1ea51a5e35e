import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach } from 'vitest';
import { scratchDirectory } from './pack-process.ts';

/** Before each test of a file: a tree `tree` with directories in it, an empty directory `out`, and a file `file.tar`. Returns where they lie. */
export function outputScene(): string {
  const scratch = scratchDirectory();
  const place = join(scratch.path, 'place');
  beforeEach(() => {
    rmSync(place, { recursive: true, force: true });
    mkdirSync(join(place, 'tree', 'sub', 'below'), { recursive: true });
    mkdirSync(join(place, 'out'));
    writeFileSync(join(place, 'tree', 'file'), 'content');
    writeFileSync(join(place, 'file.tar'), 'content');
  });
  afterAll(scratch.remove);
  return place;
}
