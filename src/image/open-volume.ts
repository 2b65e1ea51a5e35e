import { isShoalError, ShoalError } from '../base/errors.ts';
import type { Volume } from '../format/volumes.ts';
import type { ByteSource } from '../io/byte-source.ts';
import { openFileSource } from '../io/file-source.ts';
import { probeVolume } from './volume-probe.ts';

/** Where a volume lies: a relative name starts from the index's directory. */
export function volumePath(indexPath: Buffer, name: Buffer): Buffer {
  return name[0] === 0x2f ? name : Buffer.concat([indexPath.subarray(0, indexPath.lastIndexOf(0x2f) + 1), name]);
}

/** Opens the file at `path` and checks that it is the volume. Throws `missing`, `truncated` (it is shorter), `wrong-volume` (it is another file). */
export function openVolume(path: Buffer, volume: Volume): ByteSource {
  const source = openSource(path);
  try {
    checkIdentity(source, volume);
    return source;
  } catch (error) {
    source.close();
    throw error;
  }
}

function openSource(path: Buffer): ByteSource {
  try {
    return openFileSource(path, 'wrong-volume');
  } catch (error) {
    if (!isShoalError(error, 'missing')) throw error;
    const message =
      'expected a volume of the image here, found nothing; an index and its volumes lie together: copy or move both';
    throw new ShoalError('missing', message, { ...(error.path !== undefined && { path: error.path }), cause: error });
  }
}

function checkIdentity(source: ByteSource, volume: Volume): void {
  const { path, length } = source;
  const cure = 'put the volume there that was made together with the index';
  if (length < volume.length) {
    throw new ShoalError('truncated', `expected a volume of ${volume.length} bytes, found ${length}; copy it anew`, {
      path,
      offset: length,
    });
  }
  if (length > volume.length) {
    const message = `expected a volume of ${volume.length} bytes, found ${length}; ${cure}`;
    throw new ShoalError('wrong-volume', message, { path, offset: volume.length });
  }
  const { headChecksum, tailChecksum } = probeVolume(source);
  if (headChecksum !== volume.headChecksum || tailChecksum !== volume.tailChecksum) {
    const message = `expected the volume that the index describes, found other bytes at its beginning or end; ${cure}`;
    throw new ShoalError('wrong-volume', message, { path, offset: headChecksum === volume.headChecksum ? length : 0 });
  }
}
