import { type OddTree, python } from './odd-tree.ts';

/** Makes a chain of directories, and in each what `each` says, with `fd` open on it and its depth in `i`. */
function chain(depth: number, name: string, each = 'pass'): string {
  return python(
    `name, fd = ${name}, os.open(".", os.O_RDONLY)`,
    `for i in range(${depth}):`,
    '  os.mkdir(name, dir_fd=fd)',
    '  inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)',
    '  os.close(fd)',
    '  fd = inner',
    `  ${each}`,
  );
}

const file = 'os.close(os.open(b"f", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=fd))';

/** Directories below directories. */
export const depth: readonly OddTree[] = [
  {
    name: 'a path of 4095 bytes',
    make: python('os.makedirs("/".join(["d" * 254] * 12))', 'open("d" * 254 + "/f", "w").close()'),
  },
  { name: 'a path beyond 4096 bytes', make: chain(30, 'b"d" * 200', file), by: 'shoal' },
  { name: 'a path of 65 536 bytes', make: chain(257, 'b"d" * 254'), by: 'shoal' },
  { name: 'a path beyond 65 536 bytes of what is no text', make: chain(300, 'b"\\xff" * 254', file), by: 'shoal' },
  { name: 'two hundred directories in each other, with a file in each', make: chain(200, 'b"d"', file) },
  {
    name: 'ten thousand directories in each other, with a file in each',
    make: chain(10_000, 'b"d"', file),
    by: 'verify',
  },
  {
    name: 'ten thousand directories in each other, searched for what is excluded, and compressed',
    make: chain(10_000, 'b"d"'),
    by: 'verify',
    options: ['--exclude', '/a/b', '--compress', 'zstd'],
  },
  {
    name: 'two thousand directories in each other, with links out of each',
    make: chain(2000, 'b"d"', 'os.symlink(b"..", b"l", dir_fd=fd)'),
    by: 'verify',
  },
  {
    name: 'ten thousand directories in each other are removed when they are packed',
    make: chain(10_000, 'b"r"'),
    options: ['--remove-source'],
    by: 'verify',
    holds: 'test ! -e "$PLACE/tree"',
  },
  {
    name: 'two thousand directories in each other, with a socket in each',
    make: chain(2000, 'b"d"', 'os.mknod(b"s", 0o140644, dir_fd=fd)'),
    told: [/: skipped \S+\/s: a socket/, /2000|1900 more/],
    root: true,
  },
  {
    name: 'a comb: a chain of which each has a directory with a file',
    make: chain(
      300,
      'b"d"',
      'os.mkdir(b"t", dir_fd=fd); os.close(os.open(b"t/f", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=fd))',
    ),
  },
  {
    name: 'a chain that begins below a thousand files',
    make: `for i in $(seq 1000); do : > f$i; done\n${chain(200, 'b"m"')}`,
  },
  {
    name: 'two chains side by side',
    make: 'mkdir -p left right && for i in left right; do p=$i; for j in $(seq 400); do p=$p/d; done; mkdir -p $p; echo $i > $p/f; done',
  },
  {
    name: 'a full tree of four levels',
    make: 'mkdir -p {a,b,c,d}/{a,b,c,d}/{a,b,c,d}/{a,b,c,d} && touch {a,b,c,d}/{a,b,c,d}/{a,b,c,d}/{a,b,c,d}/f',
  },
];
