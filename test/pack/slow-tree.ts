import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';
import { fuseUnavailable } from '../support/fuse-available.ts';
import { nativeProgram } from '../support/native-programs.ts';
import { StorageProcess } from '../support/storage-process.ts';
import { scratchDirectory } from './pack-process.ts';

/** What test/native/slow_storage.cc counts of the operations that take their time. */
export interface OperationCount {
  readonly operations: number;
  /** Of them, how many were under way at once at most. */
  readonly most: number;
}

/** A tree on the model of slow storage. */
export interface SlowTree {
  /** To write to; fast. */
  readonly scratch: string;
  /** The tree where it lies in truth. */
  readonly source: string;
  /** The tree as storage shows it. */
  readonly slow: string;
  count(): Promise<OperationCount>;
}

/** Makes a tree and shows it by storage that takes `milliseconds` for each metadata operation, until the test has finished. */
export async function slowTree(
  ctx: TestContext,
  milliseconds: number,
  fill: (source: string) => void,
): Promise<SlowTree> {
  const unavailable = fuseUnavailable();
  if (unavailable !== undefined) return ctx.skip(unavailable);
  const program = nativeProgram('slow_storage');
  if ('missing' in program) return ctx.skip(program.missing);
  const { path, remove } = scratchDirectory();
  onTestFinished(remove);
  const scratch = realpathSync(path);
  const [source, slow] = [join(scratch, 'source'), join(scratch, 'slow')];
  mkdirSync(source);
  mkdirSync(slow);
  fill(source);
  const storage = await StorageProcess.start(program.path, source, slow, String(milliseconds));
  return { scratch, source, slow, count: async () => JSON.parse(await storage.ask('count')) as OperationCount };
}

/** `files` small files, so many of them in each directory; the last ones are equal to each other. */
export function fillWithFiles(source: string, files: number, perDirectory: number): void {
  for (let i = 0; i < files; i++) {
    const directory = join(source, `d${Math.floor(i / perDirectory)}`);
    if (i % perDirectory === 0) mkdirSync(directory);
    writeFileSync(join(directory, `file-${i}`), Buffer.alloc(100 + (i % 50) * 40, `${Math.min(i, files - 20)} `));
  }
}
