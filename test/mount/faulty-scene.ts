import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { type BackgroundOptions, type Mounted, mountImage } from '../../src/mount/mount-image.ts';
import { packTree } from '../../src/pack/pack-tree.ts';
import { nativeProgram } from '../support/native-programs.ts';
import { StorageProcess } from '../support/storage-process.ts';
import { type Scene, scene } from './scene.ts';

/** What test/native/faulty_storage.cc counts of the reads of a file. */
export interface ReadCount {
  readonly reads: number;
  readonly bytes: number;
  readonly faults: number;
  readonly underWay: number;
  readonly mostUnderWay: number;
}

/** A filesystem that fails when it is told to; its commands are those of test/native/faulty_storage.cc. */
export class FaultyStorage {
  readonly #process: StorageProcess;

  constructor(storage: StorageProcess) {
    this.#process = storage;
  }

  tell(command: string): Promise<void> {
    return this.#process.tell(command);
  }

  async count(file: string): Promise<ReadCount> {
    return JSON.parse(await this.#process.ask(`count ${file}`)) as ReadCount;
  }
}

/** A scene whose image lies on faulty storage, as `image.shoal` and `image.tar`. */
export interface FaultyScene extends Scene {
  readonly storage: FaultyStorage;
}

/** Bytes that tell where they lie, and in which file. */
export function content(length: number, seed: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let place = 0; place < words.length; place++) words[place] = Math.imul(place + 1, 0x9e3779b1) ^ seed;
  return Buffer.from(words.buffer, 0, length);
}

export async function faultyScene(ctx: TestContext): Promise<FaultyScene> {
  const program = nativeProgram('faulty_storage');
  if ('missing' in program) return ctx.skip(program.missing);
  const plain = scene(ctx);
  const stored = join(plain.root, 'stored');
  const shown = join(plain.root, 'shown');
  mkdirSync(stored);
  mkdirSync(shown);
  const image = join(shown, 'image.shoal');
  return {
    ...plain,
    image,
    volume: join(shown, 'image.tar'),
    storage: new FaultyStorage(await StorageProcess.start(program.path, stored, shown)),
    pack: async () => void (await packTree([plain.source], join(stored, 'image.shoal'))),
    mount: (options?: BackgroundOptions): Promise<Mounted> => mountImage(image, plain.directory, options),
  };
}
