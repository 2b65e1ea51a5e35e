import { statSync } from 'node:fs';
import { ShoalError } from '../base/errors.ts';
import { argumentBytes } from './raw-arguments.ts';

/** An `IMAGE[:DIR]` taken apart. */
export interface ImageMountArgument {
  readonly image: string;
  readonly directory: string | undefined;
}

/**
 * Names may have colons: the image is the longest beginning, up to a colon or the end, that is there. If none is, the last colon
 * divides.
 */
export function parseImageMount(argument: string, isThere: (path: string) => boolean = exists): ImageMountArgument {
  if (isThere(argument)) return { image: argument, directory: undefined };
  let divider = argument.lastIndexOf(':');
  const last = divider;
  while (divider > 0 && !isThere(argument.slice(0, divider))) divider = argument.lastIndexOf(':', divider - 1);
  if (divider <= 0) divider = last;
  if (divider === -1) return { image: argument, directory: undefined };
  const directory = argument.slice(divider + 1);
  if (directory === '') {
    throw new ShoalError(
      'usage',
      `expected IMAGE or IMAGE:DIR, found "${argument}" without a directory after its colon`,
    );
  }
  return { image: argument.slice(0, divider), directory };
}

function exists(path: string): boolean {
  return statSync(argumentBytes(path), { throwIfNoEntry: false }) !== undefined;
}
