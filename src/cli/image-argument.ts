import { existsSync, statSync } from 'node:fs';
import { showBytes } from '../base/entry-path.ts';
import { isShoalError, ShoalError } from '../base/errors.ts';
import { argumentBytes } from './raw-arguments.ts';

/** Runs `work` with the image that `argument` names. If that is no image, what is likely meant is added to the error. */
export async function withImageArgument<T>(argument: string, work: (image: Buffer) => T | Promise<T>): Promise<T> {
  const path = argumentBytes(argument);
  try {
    return await work(path);
  } catch (error) {
    if (!isShoalError(error, 'missing', 'not-image') || error.path !== showBytes(path)) throw error;
    const hint = imageHint(path);
    if (hint === undefined) throw error;
    const { code, message, offset } = error;
    throw new ShoalError(code, `${message}\n${hint}`, {
      path: error.path,
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
