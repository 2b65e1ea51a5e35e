import type { IndexReader } from '../../src/image/index-reader.ts';

/** Every answer that an index can give, as plain text, one line each; throws what the reader throws. */
export function readEverything(index: IndexReader): string[] {
  const lines = [`id ${index.id.toString('hex')}`, `entries ${index.entryCount}`];
  const say = (...values: unknown[]) => lines.push(values.map((value) => plain(value)).join(' '));
  say('volumes', index.volumes());
  for (const row of index.volumes().keys()) {
    const table = index.frameTable(row);
    if (table === undefined) continue;
    const frames = Math.ceil(table.plainLength / table.frameLength);
    for (let frame = 0; frame < frames; frame++) say('frame', row, frame, index.frame(row, table, frame));
  }
  say('metadata', index.metadata());
  for (let number = 0; number < index.entryCount; number++) {
    const entry = index.get(number);
    say(number, entry, index.resolve(number).number, index.name(number), index.entryPath(number), index.parent(number));
    if (number > 0) say('found', index.lookup(index.get(index.parent(number)), index.name(number)));
    if (entry.kind === 'directory') {
      say('below', index.totals(entry), index.lookup(entry, Buffer.from('no such name')));
      let expected = entry.firstChild;
      for (const child of index.children(entry)) say('child', child.number === expected++);
    }
    if (entry.kind === 'symlink') say('target', index.linkTarget(entry));
    if (!entry.alias) say('xattrs', index.xattrs(entry));
    if (entry.kind === 'file') {
      const extents = index.extents(entry);
      say('extents', extents);
      const rows = Math.ceil(extents.reduce((sum, { length }) => sum + length, 0) / 131072);
      for (let row = 0; rows > 1 && row < Math.min(rows, 64); row++)
        say('checksum', index.chunkChecksum(entry.checksum + row));
    }
  }
  return lines;
}

function plain(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner) =>
      inner instanceof Uint8Array ? Buffer.from(inner).toString('latin1') : inner,
    ) ?? 'undefined'
  );
}
