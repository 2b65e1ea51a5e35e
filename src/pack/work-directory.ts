import { mkdir, open, rename, rmdir, stat } from 'node:fs/promises';
import { showBytes } from '../base/entry-path.ts';
import { ShoalError } from '../base/errors.ts';
import { systemCode, systemError } from '../io/system-error.ts';
import {
  adoptDeadRun,
  besideWork,
  clearRun,
  emptyRun,
  removeAbandoned,
  removeRun,
  retireDeadRun,
} from './abandoned-runs.ts';
import { abandonLease, keepLease, ownLease, writeLease } from './lease.ts';
import { journalName, type OutputPaths, pathIn, pathsIn, planName } from './output-paths.ts';

/**
 * The directory in which a run makes an image. Its files are named by way of an open descriptor (proc(5), /proc/PID/fd), so they are this
 * run's own whatever others rename meanwhile.
 */
export interface WorkDirectory {
  readonly index: Buffer;
  volume(name: Buffer): Buffer;
  readonly plan: Buffer;
  readonly journal: Buffer;
  /** Where the list of volumes to be removed with the image that is replaced is kept: see {@link file://./surplus-volumes.ts}. */
  readonly surplus: Buffer;
  /** Throws `busy` where another run took this one for dead and took over. */
  checkOwn(): Promise<void>;
  /** The error with the directory's name as users know it. */
  named(error: unknown): unknown;
  /** Removes what is in the directory. */
  clear(): Promise<void>;
  /** Removes the directory with what is left in it; or keeps it, as that of a dead run. */
  release(keep?: boolean): Promise<void>;
}

/**
 * Makes the work directory of an image, and removes what dead runs left. It gets its name by a rename(2) that fails where another run's is,
 * and holds its lease from then on. With
 * `resume` what a dead run had written is in the directory then. Throws `busy` where another run works on the image, `exists` where the name is taken by something else.
 */
export async function claimWorkDirectory(paths: OutputPaths, resume = false): Promise<WorkDirectory> {
  const prepared = await prepare(paths);
  try {
    await takeName(prepared, paths);
  } catch (error) {
    await removeRun(prepared, paths).catch(() => undefined);
    throw error;
  }
  const work = await occupy(paths);
  try {
    if (resume) await adoptDeadRun(paths);
    await removeAbandoned(paths);
    return work;
  } catch (error) {
    await work.release();
    throw error;
  }
}

/** A directory of a name of its own, with our lease in it. */
async function prepare(paths: OutputPaths): Promise<Buffer> {
  const directory = besideWork(paths);
  try {
    await mkdir(directory);
    await writeLease(pathsIn(directory, paths).lease, ownLease());
    return directory;
  } catch (error) {
    await rmdir(directory).catch(() => undefined);
    throw systemError('write the output here', showBytes(paths.work), error);
  }
}

async function takeName(prepared: Buffer, paths: OutputPaths): Promise<void> {
  for (let tries = 0; tries < 3; tries++) {
    try {
      await rename(prepared, paths.work);
      return;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') break; // Another call of this process tidied up.
      if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(error) ?? '')) {
        throw systemError('rename to', showBytes(paths.work), error);
      }
    }
    await retireDeadRun(prepared, paths);
  }
  throw new ShoalError('busy', 'expected to be the only run here, found others; try again', {
    path: showBytes(paths.work),
  });
}

async function occupy(paths: OutputPaths): Promise<WorkDirectory> {
  const handle = await open(paths.work, 'r').catch((error: unknown) => {
    throw systemError('open', showBytes(paths.work), error);
  });
  const anchor = `/proc/self/fd/${handle.fd}`;
  const own = Buffer.from(anchor);
  const inside = pathsIn(own, paths);
  const stopRenewing = keepLease(inside.lease, ownLease());
  const isOwn = async () => {
    const [mine, there] = await Promise.all([handle.stat(), stat(paths.work).catch(() => undefined)]);
    return mine.ino === there?.ino && mine.dev === there.dev;
  };
  return {
    index: inside.index,
    volume: (name) => pathIn(own, name),
    plan: pathIn(own, planName),
    journal: pathIn(own, journalName),
    surplus: inside.surplus,
    checkOwn: async () => {
      if (await isOwn()) return;
      throw new ShoalError(
        'busy',
        'another run took this one for dead, and makes the image now; nothing was published',
        {
          path: showBytes(paths.work),
        },
      );
    },
    named: (error) => {
      if (!(error instanceof ShoalError)) return error;
      const { code, message, path, offset, problems } = error;
      const rename = (text: string) => text.replaceAll(anchor, showBytes(paths.work));
      return new ShoalError(code, rename(message), {
        ...(path !== undefined && { path: rename(path) }),
        ...(offset !== undefined && { offset }),
        problems,
        cause: error.cause,
      });
    },
    clear: async () => await clearRun(own),
    release: async (keep = false) => {
      stopRenewing();
      if (keep) {
        await abandonLease(inside.lease).catch(() => undefined);
        await handle.close();
        return;
      }
      // Should it fail, the next run finds a dead one's directory, and removes it.
      await emptyRun(own, paths).catch(() => undefined);
      // Not the directory of a run that took over: it is not empty.
      await rmdir(paths.work).catch(() => undefined);
      await handle.close();
    },
  };
}
