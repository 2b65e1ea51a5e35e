import { existsSync, statSync } from 'node:fs';
import { showBytes } from '../base/entry-path.ts';
import { isShoalError, ShoalError } from '../base/errors.ts';
import { argumentBytes } from './raw-arguments.ts';

/** {@link withImageArguments} with one. */
export function withImageArgument<T>(argument: string, work: (image: Buffer) => T | Promise<T>): Promise<T> {
  return withImageArguments([argument], ([image]) => work(image as Buffer));
}

/** Runs `work` with the images that the arguments name. If one of them is no image, what is likely meant is added to the error. */
export async function withImageArguments<T>(
  args: readonly string[],
  work: (images: readonly Buffer[]) => T | Promise<T>,
): Promise<T> {
  const paths = args.map(argumentBytes);
  try {
    return await work(paths);
  } catch (error) {
    if (!isShoalError(error, 'missing', 'not-image')) throw error;
    const path = paths.find((candidate) => showBytes(candidate) === error.path);
    const hint = path && imageHint(path);
    if (path === undefined || hint === undefined) throw error;
    const { code, message, offset } = error;
    throw new ShoalError(code, `${message}\n${hint}`, {
      path: showBytes(path),
      ...(offset !== undefined && { offset }),
      cause: error,
    });
  }
}

function imageHint(path: Buffer): string | undefined {
  const withEnding = Buffer.concat([path, Buffer.from('.shoal')]);
  if (existsSync(withEnding)) return `Did you mean ${showBytes(withEnding)}?`;
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isDirectory())
    return `It is a directory; to make an image of it: shoal pack ${showBytes(path)} -o NAME.shoal`;
  const name = path.toString('latin1');
  if (status === undefined || !name.endsWith('.tar')) return undefined;
  const index = Buffer.from(name.replace(/\.tar$/, '.shoal'), 'latin1');
  if (existsSync(index)) return `It is a volume; its index is ${showBytes(index)}`;
  return `It is a tar without an index; to make one: shoal index ${showBytes(path)}`;
}
