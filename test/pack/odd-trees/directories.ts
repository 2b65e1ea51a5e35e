import { type OddTree, python } from './odd-tree.ts';

const mount = 'mount -t tmpfs -o size=1m odd';
const mounted = (path: string) => new RegExp(`${path}: another filesystem is mounted here; what is in it is packed`);

/** Directories with very many names, and those on which something else is mounted. */
export const directories: readonly OddTree[] = [
  {
    name: 'ten thousand names in a directory',
    make: python('for i in range(10_000): os.close(os.open("f%d" % i, os.O_WRONLY | os.O_CREAT))'),
  },
  {
    name: 'ten thousand long names in a directory',
    make: python('for i in range(10_000): os.mknod(("%05d" % i) * 40)'),
    by: 'shoal',
  },
  { name: 'a thousand directories in a directory', make: python('for i in range(1000): os.mkdir("d%d" % i)') },
  {
    name: 'a directory that was large and is empty',
    make: 'mkdir d && cd d && for i in $(seq 3000); do : > "a-long-name-$i"; done && ls -f | grep a-long | xargs rm',
  },
  {
    name: 'as many names as one thread looks at, one less and one more',
    make: 'for n in 31 32 33 64; do mkdir d$n; for i in $(seq $n); do : > d$n/f$i; done; done',
  },
  {
    name: 'links, FIFOs and directories mixed in a directory of thousands',
    make: python(
      'for i in range(3000):',
      '  n = "n%d" % i',
      '  [lambda: os.mkdir(n), lambda: os.symlink("x", n), lambda: os.mkfifo(n), lambda: os.mknod(n)][i % 4]()',
    ),
  },
  {
    name: 'another filesystem within the tree is packed and named',
    make: `mkdir m && ${mount} m && echo x > m/f`,
    clear: 'umount -l m',
    told: [mounted('tree/m')],
    root: true,
  },
  {
    name: 'another filesystem is left out where that is asked for',
    make: `mkdir m && ${mount} m && echo x > m/f && echo x > g`,
    clear: 'umount -l m',
    options: ['--one-file-system'],
    told: [/tree\/m: another filesystem is mounted here; packed as an empty directory/],
    holds: 'rm m/f',
    ignore: ['mtime', 'nlink'],
    root: true,
  },
  {
    name: 'a filesystem on another that is mounted',
    make: `mkdir m && ${mount} m && mkdir m/n && ${mount} m/n && echo x > m/n/f`,
    clear: 'umount -l m/n m',
    told: [mounted('tree/m'), mounted('tree/m/n')],
    root: true,
  },
  {
    name: 'a file on which another is mounted',
    make: 'echo below > f && echo above > "$PLACE/above" && mount --bind "$PLACE/above" f',
    clear: 'umount -l f',
    ignore: ['nlink'],
    root: true,
  },
  {
    name: 'a directory that is mounted within itself',
    make: 'mkdir -p a/b && echo x > a/f && mount --bind a a/b',
    clear: 'umount -l a/b',
    root: true,
  },
  {
    name: 'two mounts of one directory, of which the files are one by number',
    make: `mkdir m n && ${mount} m && echo x > m/f && ln m/f m/g && mount --bind m n`,
    clear: 'umount -l m n',
    told: [mounted('tree/m'), mounted('tree/n')],
    ignore: ['nlink', 'linked to'],
    root: true,
  },
  {
    name: 'two filesystems with files of the same inode numbers',
    make: `mkdir m n && ${mount} m && ${mount} n && echo 1 > m/a && ln m/a m/b && echo 2 > n/a && ln n/a n/b`,
    clear: 'umount -l m n',
    told: [mounted('tree/m'), mounted('tree/n')],
    root: true,
  },
  {
    name: 'a source that is a mount point is none of its own',
    make: `${mount} "$PLACE/tree" && cd "$PLACE/tree" && echo x > f`,
    clear: 'cd / && umount -l "$PLACE/tree"',
    root: true,
  },
  {
    name: 'a filesystem that is read-only',
    make: `mkdir m && ${mount} m && echo x > m/f && mount -o remount,ro m`,
    clear: 'umount -l m',
    told: [mounted('tree/m')],
    root: true,
  },
  {
    name: 'a mount point stays where sources are removed',
    make: `mkdir m && ${mount} m && echo x > m/f && echo x > g`,
    clear: 'umount -l m',
    options: ['--remove-source'],
    status: 4,
    told: [mounted('tree/m'), /not removed: \S*tree\/m: .*(busy|Busy)/],
    holds: 'test -d m && test ! -e m/f && echo x > m/f && echo x > g',
    ignore: ['mtime', 'mode'],
    root: true,
  },
];
