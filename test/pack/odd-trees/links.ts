import { type OddTree, python } from './odd-tree.ts';

/** Symbolic links, and files with several names. */
export const links: readonly OddTree[] = [
  { name: 'a link to itself', make: 'ln -s self self' },
  { name: 'two links that lead to each other', make: 'ln -s b a && ln -s a b' },
  { name: 'a ring of forty links', make: 'for i in $(seq 0 39); do ln -s l$(((i + 1) % 40)) l$i; done' },
  {
    name: 'a chain of a hundred links, more than the kernel follows',
    make: 'echo x > l0; for i in $(seq 1 100); do ln -s l$((i - 1)) l$i; done',
  },
  { name: 'a link to the directory that holds it', make: 'mkdir d && ln -s . d/here && ln -s .. d/up' },
  { name: 'a link to the root of the tree by its absolute path', make: 'mkdir d && ln -s "$PWD" d/root' },
  { name: 'links to the root of the filesystem', make: 'ln -s / root && ln -s /.. above && ln -s //// slashes' },
  {
    name: 'links into /proc that have no end',
    make: 'ln -s /proc/self/root root && ln -s /proc/self/cwd cwd && ln -s /proc/self/fd fds',
  },
  { name: 'a link that leads nowhere', make: 'ln -s nowhere dangling && ln -s /no/such/place absolute' },
  { name: 'a link below a file', make: 'touch f && ln -s f/below l' },
  {
    name: 'targets of 1, 100, 101 and 4095 bytes',
    make: python('for n in (1, 100, 101, 4095): os.symlink("t" * n, "l%d" % n)'),
  },
  {
    name: 'targets of 4095 bytes that are no text',
    make: python('os.symlink(b"\\xff" * 4095, "a")\nos.symlink(b"\\n" * 4095, "b")'),
  },
  { name: 'a target with every byte but NUL', make: python('os.symlink(bytes(range(1, 256)), "l")') },
  { name: 'a target of slashes and dots', make: "ln -s ./././// a && ln -s ../../../../../../etc b && ln -s 'a//b' c" },
  { name: 'a target that is a record of pax', make: "ln -s $'13 path=abcd\\n' l && ln -s '= =' m" },
  { name: 'a link as long as its target', make: python('os.symlink(b"n" * 255, b"n" * 255)') },
  {
    name: 'two hundred links with targets that are alike',
    make: 'for i in $(seq 200); do ln -s same-target l$i; done',
  },
  { name: 'a link with two names', make: 'ln -s target one && ln -P one two' },
  {
    name: 'a link with a modification time of its own',
    make: 'ln -s x l && touch -h -d "1999-12-31 23:59:59.123456789" l',
  },
  { name: 'a link of another owner', make: 'ln -s x l && chown -h 12345:54321 l', root: true },
  {
    name: 'a link to a directory beside one to a file',
    make: 'mkdir d && touch d/f && ln -s d to-dir && ln -s d/f to-file',
  },
  {
    name: 'links that contain a directory in a circle',
    make: 'mkdir -p a/b c/d && ln -s ../../c/d a/b/x && ln -s ../../a/b c/d/y',
  },
  { name: 'a file with a thousand names', make: 'echo x > f; for i in $(seq 999); do ln f n$i; done' },
  {
    name: 'names of one file in a hundred directories',
    make: 'echo x > f; for i in $(seq 100); do mkdir d$i && ln f d$i/f; done',
  },
  { name: 'a file of which one name is outside', make: 'echo x > f && ln f "$PLACE/outside"', ignore: ['nlink'] },
  {
    name: 'a file whose first name in the tree is the deepest',
    make: 'mkdir -p a/b/c && echo x > a/b/c/f && ln a/b/c/f z',
  },
  { name: 'an empty file with two names', make: 'touch a && ln a b' },
  { name: 'a large file with two names', make: 'head -c 3000000 /dev/zero | tr "\\0" x > a && ln a b' },
  { name: 'a file with holes and two names', make: 'truncate -s 5M a && echo x >> a && ln a b' },
  { name: 'a FIFO with two names', make: 'mkfifo a && ln a b' },
  { name: 'a device with two names', make: 'mknod a c 1 3 && ln a b', root: true },
  {
    name: 'two files with two names each, crossed',
    make: 'mkdir p q && echo 1 > p/x && echo 2 > q/x && ln p/x q/y && ln q/x p/y',
  },
  {
    name: 'names of one file whose paths need pax',
    make: python(
      'open("a" * 200, "w").write("x")\nos.mkdir("d" * 200)\nos.link("a" * 200, "d" * 200 + "/" + "b" * 200)',
    ),
  },
  { name: 'names that are no text of one file', make: "echo x > $'\\xff' && ln $'\\xff' $'\\xfe'" },
  {
    name: 'equal files with further names, stored once',
    make: 'echo same > a && echo same > b && ln a a2 && ln b b2',
    options: ['--dedupe'],
    by: 'shoal',
  },
  {
    name: 'names of one file in volumes of 64 KiB',
    make: 'for i in $(seq 9); do head -c 30000 /dev/zero > f$i && ln f$i z$i; done',
    options: ['--volume-size', '64K'],
    by: 'shoal',
  },
];
