import { type BigIntStats, lstatSync, statSync } from 'node:fs';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { systemCode, systemError } from '../io/system-error.ts';

const tarEndings = ['.tar', '.tar.zst'];
const ending = '.shoal';

/** Where the index of `archive` goes if nobody says: `x.shoal` for a volume `x.tar` or `x.tar.zst` that Shoal wrote, `NAME.shoal` for any other archive `NAME`. */
export function defaultImagePath(archive: Buffer, byShoal: boolean): Buffer {
  const ofTar = byShoal
    ? tarEndings.find((end) => archive.subarray(-end.length).toString('latin1') === end)
    : undefined;
  const stem = archive.subarray(0, archive.length - (ofTar?.length ?? 0));
  return Buffer.concat([stem, Buffer.from(ending)]);
}

/** Throws, before any work, what would keep an index from being written: `exists`, `usage` (it is the archive itself, or a directory), `missing` (its directory). */
export function checkImagePath(image: Buffer, archive: Buffer, force: boolean): void {
  const path = showBytes(image);
  const name = image.subarray(image.lastIndexOf(0x2f) + 1).toString('latin1');
  if (!name.endsWith(ending) || name === ending)
    throw new ShoalError('usage', 'expected an index called NAME.shoal', { path });
  const there = statOf(image);
  if (there === undefined) {
    checkDirectoryOf(image);
    return;
  }
  const original = statSync(archive, { bigint: true });
  const resolved = statSync(image, { bigint: true, throwIfNoEntry: false }) ?? there;
  if (resolved.dev === original.dev && resolved.ino === original.ino) {
    throw new ShoalError('usage', 'expected another file for the index, found the archive itself', { path });
  }
  if (there.isDirectory()) throw new ShoalError('usage', 'expected the name of a file, found a directory', { path });
  if (!force)
    throw new ShoalError('exists', 'expected no file here, found one; give another name or --force', { path });
}

function checkDirectoryOf(image: Buffer): void {
  const slash = image.lastIndexOf(0x2f);
  const directory = slash === -1 ? Buffer.from('.') : image.subarray(0, Math.max(1, slash));
  if (statOf(directory) === undefined) {
    throw new ShoalError('missing', 'expected a directory for the index, found none', { path: showBytes(directory) });
  }
}

function statOf(path: Buffer): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw systemError('look at', showBytes(path), error);
  }
}
