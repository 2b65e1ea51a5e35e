import { showBytes, splitEntryPath } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import type { Entry } from './entry.ts';
import type { IndexReader } from './index-reader.ts';

/** As many as the kernel follows (path_resolution(7)). */
const maxLinks = 40;

/**
 * The entry at a path within the image, symbolic links followed as open(2) does, the last one too; never an alias or a link. Throws
 * `missing` if there is none, `unsupported` where a link leads out of the image or round in a circle.
 */
export function followPath(index: IndexReader, path: Buffer): Entry {
  const pending = splitEntryPath(path).reverse();
  const trail = [index.get(0)];
  for (let links = 0, name = pending.pop(); name !== undefined; name = pending.pop()) {
    const directory = trail.at(-1) as Entry;
    if (name.equals(parentName)) {
      if (trail.length === 1) throw failed('unsupported', index, path, 'a symbolic link leads out of the image');
      trail.pop();
      continue;
    }
    const number = directory.kind === 'directory' ? index.lookup(directory, name) : undefined;
    if (number === undefined) throw failed('missing', index, path, `there is no "${showBytes(name)}"`);
    const entry = index.resolve(number);
    if (entry.kind !== 'symlink') {
      trail.push(entry);
      continue;
    }
    if (++links > maxLinks) throw failed('unsupported', index, path, `found more than ${maxLinks} symbolic links`);
    const target = index.linkTarget(entry);
    if (target[0] === 0x2f) {
      throw failed('unsupported', index, path, `a symbolic link leads to ${showBytes(target)}, out of the image`);
    }
    pending.push(...namesOf(target).reverse());
  }
  return trail.at(-1) as Entry;
}

const parentName = Buffer.from('..');

/** Names along a link's target, `..` included. */
function namesOf(target: Buffer): Buffer[] {
  const names = target.toString('latin1').split('/');
  return names.filter((name) => name !== '' && name !== '.').map((name) => Buffer.from(name, 'latin1'));
}

function failed(code: 'missing' | 'unsupported', index: IndexReader, path: Buffer, reason: string): ShoalError {
  return new ShoalError(code, `cannot follow "${showBytes(path)}": ${reason}`, { path: index.path });
}
