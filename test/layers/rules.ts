/** DESIGN's table of layers: a folder imports only from lower levels; folders of one level never import each other. */
export const levels: Readonly<Record<string, number>> = {
  base: 0,
  format: 1,
  io: 1,
  codec: 1,
  native: 1,
  image: 2,
  pack: 3,
  indexers: 3,
  mount: 3,
  staging: 3,
  census: 3,
  'index.ts': 4,
  cli: 5,
};

/** npm packages by folder of src/; a folder that is not here uses none. */
export const packages: Readonly<Record<string, readonly string[]>> = {
  codec: ['zstd-napi'],
  image: ['lru-cache'],
  pack: ['p-limit', 'tar-stream'],
  indexers: ['tar-stream', 'yauzl'],
  mount: ['fuse-native'],
  staging: ['p-limit'],
  cli: ['commander'],
};

/** Folders without input and output, and all that they may use of Node. */
export const pureFolders: readonly string[] = ['base', 'format'];
export const pureModules: readonly string[] = ['node:buffer', 'node:crypto', 'node:os', 'node:path', 'node:util'];

/** Folders of native/ and those that each may include from, besides itself. */
export const nativeFolders: Readonly<Record<string, readonly string[]>> = {
  core: [],
  fuse: ['core'],
  pack: ['core'],
  unpack: ['core'],
  remove: ['core', 'pack', 'unpack'],
  addon: ['core', 'fuse', 'pack', 'unpack', 'remove'],
};

/** System headers that only one folder of native/ may include. */
export const ownedHeaders: readonly { readonly header: RegExp; readonly owner: string }[] = [
  { header: /^(napi|node|node_api|js_native_api|uv|v8)\.h$/, owner: 'addon' },
  { header: /(^|\/)fuse[^/]*\.h$/, owner: 'fuse' },
];
