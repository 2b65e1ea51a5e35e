import { readContent } from './entry-content.ts';
import { FileWindows } from './file-windows.ts';
import { tarEnd, tarHeader, tarPadding } from './tar-header.ts';
import { malformed, type ZipEntry, zipEntries } from './zip-entries.ts';

/** Linux has no longer target of a symbolic link, in bytes. */
const longestTarget = 4095;

/**
 * Translates the zip of `length` bytes at `descriptor` into a tar. Entries that a zip gives no owner get `owner`. Throws as {@link zipEntries} and {@link readContent} do,
 * also when much of the tar was written.
 */
export async function zipToTar(
  descriptor: number,
  length: number,
  owner: { readonly uid: number; readonly gid: number },
  write: (bytes: Uint8Array) => void,
): Promise<void> {
  const file = new FileWindows(descriptor, length);
  for await (const entry of zipEntries(file, owner)) {
    const { metadata } = entry;
    if (metadata.kind === 'file') {
      write(tarHeader(metadata, entry.length, Buffer.alloc(0)));
      await readContent(file, entry, write);
      write(tarPadding(entry.length));
    } else {
      write(tarHeader(metadata, 0, metadata.kind === 'symlink' ? await readTarget(file, entry) : Buffer.alloc(0)));
    }
  }
  write(tarEnd);
}

async function readTarget(file: FileWindows, entry: ZipEntry): Promise<Buffer> {
  if (entry.length === 0 || entry.length > longestTarget)
    throw malformed(`the link's target is ${entry.length} bytes long instead of 1 to ${longestTarget}`, entry.shown);
  const parts: Uint8Array[] = [];
  await readContent(file, entry, (bytes) => parts.push(bytes));
  const target = Buffer.concat(parts);
  if (target.includes(0)) throw malformed("the link's target has a NUL", entry.shown);
  return target;
}
