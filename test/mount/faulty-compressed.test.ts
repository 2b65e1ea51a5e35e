import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { openImage } from '../../src/image/open-image.ts';
import { compressImage } from '../support/compress-image.ts';
import { nativeBuildTimeout, nativeProgram } from '../support/native-programs.ts';
import { content, faultyScene } from './faulty-scene.ts';

const volume = 'image.tar.zst';

beforeAll(() => void nativeProgram('faulty_storage'), nativeBuildTimeout);

/** A byte of the frame that the middle of a file lies in. */
function byteOfFrame(image: string, name: string): number {
  const opened = openImage(image);
  const { index } = opened;
  const entry = index.get(index.lookup(index.get(0), Buffer.from(name)) as number);
  const table = index.frameTable(0);
  if (table === undefined) throw new Error('expected a compressed volume');
  const { offset, length } = index.frame(0, table, Math.floor((entry.offset + entry.size / 2) / table.frameLength));
  opened.close();
  return offset + Math.floor(length / 2);
}

test('a frame that storage gave wrong once is read again, one that stays wrong costs EIO and is named', async (ctx) => {
  const { root, source, directory, image, storage, pack, mount } = await faultyScene(ctx);
  // Bytes that do not shrink, so that each file is in frames of its own.
  for (const name of ['a', 'b', 'c']) writeFileSync(join(source, name), content(300_000, name.charCodeAt(0)));
  await pack();
  compressImage(join(root, 'stored/image.shoal'));
  const log = join(root, 'log');
  // Room for two frames: nothing is read ahead, so it is each file's own reads that meet the fault.
  await mount({ log, cacheSize: 262_144 });

  await storage.tell(`flip ${volume} ${byteOfFrame(image, 'b')} 1`);
  expect(readFileSync(join(directory, 'b')).equals(content(300_000, 98))).toBe(true);
  expect(await storage.count(volume)).toMatchObject({ faults: 1 });

  await storage.tell(`flip ${volume} ${byteOfFrame(image, 'c')} -1`);
  expect(() => readFileSync(join(directory, 'c'))).toThrow('EIO');
  expect(readFileSync(log, 'utf8')).toContain('reading c: ');
  await storage.tell(`clear ${volume}`);
  expect(readFileSync(join(directory, 'c')).equals(content(300_000, 99))).toBe(true);
  expect(readFileSync(join(directory, 'a')).equals(content(300_000, 97))).toBe(true);
});
