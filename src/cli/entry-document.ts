import type { Entry, IndexReader } from '../index.ts';
import { byteFields } from './byte-fields.ts';

/** An entry as `ls --json` and `stat --json` print it. An alias is told as the entry that it names, under its own path. */
export function entryDocument(index: IndexReader, entry: Entry, path: Buffer): Record<string, unknown> {
  const told = index.resolve(entry.number);
  const { kind, mode, nlink, uid, gid, size, seconds, nanoseconds } = told;
  return {
    ...byteFields('path', path.length === 0 ? Buffer.from('.') : path),
    type: kind,
    inode: inodeNumber(told),
    mode: mode & 0o7777,
    nlink,
    uid,
    gid,
    size,
    mtime: { seconds, nanoseconds },
    ...(kind === 'symlink' && byteFields('target', index.linkTarget(told))),
    ...((kind === 'character' || kind === 'block') && { device: { major: told.deviceMajor, minor: told.deviceMinor } }),
  };
}

/** The number that a mount gives to an entry which is no alias. */
export function inodeNumber(entry: Entry): number {
  return entry.number + 1;
}
