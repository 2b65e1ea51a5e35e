import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildClients, readClient } from '../clients.ts';
import { dropDentries } from '../page-cache.ts';

/** Operations per second on the mount and on the directory. */
export interface Rates {
  readonly title: string;
  readonly mount: number;
  readonly directory: number;
}

const randomReads = 2000;
const seed = 1;

/** Times a scan of everything and reads of whole files in random order, each trial in a process of its own. `work` takes a file. */
export function measureDirectories(mount: string, directory: string, work: string): Rates[] {
  buildClients();
  const list = join(work, 'paths');
  writeFileSync(list, Buffer.concat(filePaths(directory).flatMap((path) => [path, Buffer.of(0)])));
  const rates: Rates[] = [];
  const measure = (title: string, trial: (root: string) => number, prepare: () => void = () => {}) => {
    const [onMount, onDirectory] = [mount, directory].map((root) => {
      prepare();
      return trial(root);
    });
    rates.push({ title, mount: onMount as number, directory: onDirectory as number });
  };
  const scan = (root: string) => perSecond('find', root);
  const read = (root: string) => perSecond('read', root, list, '1', String(randomReads), String(seed));

  measure('scan: list and stat everything, entries/s', scan);
  measure('read whole files in random order, files/s', read);
  // Only root can make the kernel forget.
  if (dropDentries()) {
    measure('scan, names and attributes forgotten', scan, dropDentries);
    measure('read, names and attributes forgotten', read, dropDentries);
  }
  return rates;
}

export function rateTable(rates: readonly Rates[]): string {
  const rows = [
    ['', 'mount', 'directory'],
    ...rates.map(({ title, mount, directory }) => [title, shown(mount), shown(directory)]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows
    .map(([title, mount, directory]) =>
      [
        title?.padEnd(widths[0] as number),
        mount?.padStart(widths[1] as number),
        directory?.padStart(widths[2] as number),
      ].join('  '),
    )
    .join('\n');
}

function perSecond(...options: readonly string[]): number {
  const { operations, seconds } = readClient(...options);
  return operations / seconds;
}

/** Paths of all regular files below `directory`, relative to it. */
function filePaths(directory: string): Buffer[] {
  const paths: Buffer[] = [];
  const pending: Buffer[] = [Buffer.alloc(0)];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const entries = readdirSync(Buffer.concat([Buffer.from(`${directory}/`), path]), {
      withFileTypes: true,
      encoding: 'buffer',
    });
    for (const entry of entries) {
      const inner = Buffer.concat([path, entry.name]);
      if (entry.isFile()) paths.push(inner);
      if (entry.isDirectory()) pending.push(Buffer.concat([inner, Buffer.from('/')]));
    }
  }
  return paths;
}

function shown(rate: number): string {
  return String(Math.round(rate)).replace(/\B(?=(\d{3})+$)/g, ' ');
}
