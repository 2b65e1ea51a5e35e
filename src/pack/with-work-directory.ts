import { ShoalError } from '../base/errors.ts';
import type { OutputPaths } from './output-paths.ts';
import { claimWorkDirectory, type WorkDirectory } from './work-directory.ts';

/** Whether the directory of a run that fails is kept for `--resume`, and what is added to the message then: nothing where the run had done nothing. */
export type Keeping = (work: WorkDirectory, error: unknown) => Promise<{ readonly hint?: string } | undefined>;

export interface WorkDirectoryOptions {
  /** Begins with what a run that was stopped has left. */
  readonly resume?: boolean;
  /** Default: never. */
  readonly keeping?: Keeping;
}

/** Runs `use` with the work directory of an image. It goes when that ends, unless `keeping` says otherwise. */
export async function withWorkDirectory<T>(
  paths: OutputPaths,
  use: (work: WorkDirectory) => Promise<T>,
  { resume = false, keeping }: WorkDirectoryOptions = {},
): Promise<T> {
  const work = await claimWorkDirectory(paths, resume);
  let kept: Awaited<ReturnType<Keeping>>;
  try {
    return await use(work);
  } catch (error) {
    kept = await keeping?.(work, error);
    throw withHint(work.named(error), kept?.hint);
  } finally {
    await work.release(kept !== undefined);
  }
}

function withHint(error: unknown, hint: string | undefined): unknown {
  if (!(error instanceof ShoalError) || hint === undefined) return error;
  const { code, message, path, offset, problems, cause } = error;
  return new ShoalError(code, `${message}; ${hint}`, {
    ...(path !== undefined && { path }),
    ...(offset !== undefined && { offset }),
    problems,
    cause,
  });
}
