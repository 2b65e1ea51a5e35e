import { type OddTree, python } from './odd-tree.ts';

const socket = (...paths: string[]) => python(...paths.map((path) => `socket.socket(socket.AF_UNIX).bind(${path})`));

/** What is neither a file, nor a directory, nor a symbolic link. */
export const specialFiles: readonly OddTree[] = [
  { name: 'a FIFO that nobody writes to', make: 'mkfifo f' },
  { name: 'a FIFO that somebody holds open', make: 'mkfifo f', run: 'command', beside: 'exec 3<>f; echo; sleep 60' },
  {
    name: 'a FIFO with each mode for others',
    make: 'for m in r w x rw rwx; do mkfifo f$m && chmod u=,g=,o=$m f$m; done',
  },
  { name: 'a thousand FIFOs', make: python('for i in range(1000): os.mkfifo("f%d" % i)') },
  { name: 'a socket is left out and named', make: socket('"s"'), told: [/: skipped \S+\/s: a socket; left out$/] },
  { name: 'sockets alone', make: socket('"s"', '"t"'), told: [/tree\/s: a socket/, /tree\/t: a socket/] },
  { name: 'a socket with a name that is no text', make: socket('b"\\xff\\n"'), told: [/tree\/\\xFF\\n: a socket/] },
  {
    name: 'a socket that listens',
    make: 'mkdir d',
    run: 'command',
    beside: `python3 -c 'import socket, time
s = socket.socket(socket.AF_UNIX); s.bind("d/s"); s.listen(); print(flush=True); time.sleep(60)'`,
  },
  {
    name: 'a socket with two names',
    make: `${socket('"s"')}\nln s t`,
    told: [/tree\/s: a socket/, /tree\/t: a socket/],
  },
  {
    name: 'more than a hundred sockets are counted',
    make: python('for i in range(150): os.mknod("s%03d" % i, 0o140644)'),
    told: [/: skipped \S+\/s\d+: a socket/, /skipped 50 more; --json lists all/],
  },
  { name: 'a socket that is excluded is not named', make: socket('"s.sock"'), options: ['--exclude', '*.sock'] },
  { name: 'a socket is not told where --quiet is asked for', make: socket('"s"'), options: ['--quiet'] },
  {
    name: 'a socket where sources are removed stays',
    make: socket('"s"'),
    options: ['--remove-source'],
    status: 4,
    told: [/skipped .*tree\/s/, /not removed: \S*tree: is not empty/],
    ignore: ['mtime'],
    holds: 'test -S s',
  },
  {
    name: 'null, zero, full and random',
    make: 'mknod null c 1 3 && mknod zero c 1 5 && mknod full c 1 7 && mknod random c 1 8',
    root: true,
  },
  { name: 'a terminal and the console', make: 'mknod tty c 5 0 && mknod console c 5 1', root: true },
  { name: 'a disk', make: 'mknod disk b 8 0 && mknod part b 8 1', root: true },
  { name: 'devices with the largest numbers', make: 'mknod a c 4095 1048575 && mknod b b 4095 1048575', root: true },
  { name: 'devices with the number 0', make: 'mknod a c 0 0 && mknod b b 0 1', root: true },
  {
    name: 'a device of an overlay that says that a file was removed',
    make: 'mknod removed c 0 0 && echo x > kept',
    root: true,
  },
  {
    name: 'devices with minors at the limits of their fields',
    make: 'mknod a c 1 255 && mknod b c 1 256 && mknod c c 256 4095 && mknod d c 255 65536',
    root: true,
  },
  {
    name: 'a device that blocks whoever opens it is not opened',
    make: 'mknod watchdog c 10 130 && mknod tape c 9 0',
    root: true,
  },
  {
    name: 'all kinds in one directory',
    make: `mkdir d && touch f && ln -s f l && mkfifo p && mknod c c 1 3 && mknod b b 7 0\n${socket('"s"')}`,
    told: [/tree\/s: a socket/],
    root: true,
  },
  {
    name: 'special files are removed where sources are',
    make: 'mkdir d && mkfifo d/p && mknod d/c c 1 3',
    options: ['--remove-source'],
    root: true,
    by: 'shoal',
    holds: 'test ! -e "$PLACE/tree" && mkdir -p "$PLACE/tree/d" && cd "$PLACE/tree/d" && mkfifo p && mknod c c 1 3',
    ignore: ['mtime'],
  },
];
