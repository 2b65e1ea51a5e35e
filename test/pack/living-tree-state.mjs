/** Bytes of a block: each says the whole state, so that blocks of two states beside each other show. */
const blockLength = 512;

/** The content of the file `path` in its state `version`: so many blocks, or a line alone. */
export function stateOf(path, version, blocks) {
  const line = `${path} ${version} ${blocks} `;
  return blocks === 0 ? line : line.padEnd(blockLength, '.').repeat(blocks);
}

/** Whether the content is one state of `path`, whole, or what a file has that is just made anew. */
export function isState(path, content) {
  if (content === '') return true;
  const [, name, version, blocks] = /^(\S+) (\d+) (\d+) /.exec(content) ?? [];
  return name === path && content === stateOf(path, Number(version), Number(blocks));
}
