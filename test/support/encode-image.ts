import type { Metadata } from '../../src/format/metadata.ts';
import type { Volume } from '../../src/format/volumes.ts';
import { indexBytes } from './index-bytes.ts';
import { columnsOf, type ModelNode } from './model-tree.ts';

/** A volume that no test opens, with room for anything. */
export const anyVolume: Volume = {
  name: Buffer.from('any.tar'),
  length: 2 ** 52,
  codec: 0,
  flags: 3,
  headChecksum: 1,
  tailChecksum: 2,
};

export interface EncodeOptions {
  readonly volumes?: readonly Volume[];
  readonly metadata?: Metadata;
  readonly chunkChecksums?: readonly number[];
}

/** The index of a tree, in one piece. */
export function encodeIndex(root: ModelNode, options: EncodeOptions = {}): Buffer {
  const { volumes = [anyVolume], metadata = {}, chunkChecksums = [] } = options;
  return indexBytes(columnsOf(root, chunkChecksums), volumes, metadata);
}
