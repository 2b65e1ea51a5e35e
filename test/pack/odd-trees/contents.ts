import { type OddTree, python } from './odd-tree.ts';

const around = (size: number) => `for n in ${size - 1} ${size} ${size + 1}; do head -c $n /dev/urandom > f$n; done`;

/** Sizes, holes, and content that looks like something else. */
export const contents: readonly OddTree[] = [
  { name: 'an empty tree', make: ':' },
  { name: 'an empty tree, compressed', make: ':', options: ['--compress', 'zstd'] },
  { name: 'an empty tree, in volumes', make: ':', options: ['--volume-size', '64K'] },
  { name: 'an empty tree, where compression is decided by a sample', make: ':', options: ['--compress', 'auto'] },
  { name: 'a thousand empty files', make: 'for i in $(seq 1000); do : > f$i; done' },
  { name: 'a thousand empty directories', make: 'for i in $(seq 1000); do mkdir d$i; done' },
  { name: 'sizes around a block of tar', make: around(512) },
  { name: 'sizes around a page', make: around(4096) },
  { name: 'sizes around a record of tar', make: around(10_240) },
  { name: 'sizes around the least hole', make: around(65_536) },
  { name: 'sizes around a chunk', make: around(131_072) },
  { name: 'sizes around a piece', make: around(1_048_576) },
  { name: 'sizes around a large file', make: around(4_194_304) },
  { name: 'a file of 8 TiB that is one hole', make: 'truncate -s 8T f' },
  {
    name: 'a file of 8 TiB with a byte at its end',
    make: python('with open("f", "wb") as f:\n  f.seek((8 << 40) - 1)\n  f.write(b"x")'),
  },
  {
    name: 'a file of 8 TiB with a byte in its middle',
    make: python('with open("f", "wb") as f:\n  f.seek(4 << 40)\n  f.write(b"x")\n  f.truncate(8 << 40)'),
  },
  {
    name: 'the largest file that there can be',
    make: python('with open("f", "wb") as f: f.truncate((16 << 40) - 4096)'),
  },
  {
    name: 'a thousand files of a tebibyte, all holes',
    make: 'for i in $(seq 1000); do echo f$i; done | xargs truncate -s 1T',
  },
  {
    name: 'holes of 8 GiB, where eleven octal digits end',
    make: 'for n in 8589934591 8589934592; do truncate -s $n f$n; done',
  },
  {
    name: 'a giant of holes, compressed',
    make: 'truncate -s 2T f && echo x >> f',
    options: ['--compress', 'zstd'],
    by: 'shoal',
  },
  {
    name: 'a giant of holes is more than a volume and is not',
    make: 'truncate -s 1T f && echo x >> f',
    options: ['--volume-size', '64K'],
  },
  {
    name: 'a giant of holes is removed when it is packed',
    make: 'truncate -s 1T f',
    options: ['--remove-source'],
    by: 'shoal',
    holds: 'test ! -e f && mkdir -p "$PLACE/tree" && truncate -s 1T "$PLACE/tree/f"',
    ignore: ['mtime'],
  },
  {
    name: 'two thousand holes in a file',
    make: python('with open("f", "wb") as f:\n  for i in range(2000):\n    f.seek(i << 17)\n    f.write(b"%d" % i)'),
  },
  {
    name: 'holes smaller than what stays a hole',
    make: python('with open("f", "wb") as f:\n  for i in range(100):\n    f.seek(i * 40_000)\n    f.write(b"x")'),
  },
  {
    name: 'a file that is allocated and was never written',
    make: 'touch g && fallocate -l 3M f && fallocate -n -l 1M g',
  },
  { name: 'a hole that was punched', make: 'head -c 1M /dev/urandom > f && fallocate -p -o 100K -l 512K f' },
  { name: 'zeros that are no hole', make: 'head -c 2M /dev/zero > f' },
  { name: 'a file that is a tar', make: 'touch x && tar -cf a.tar x && cp a.tar b.tar && cat a.tar b.tar > c.tar' },
  { name: 'a file that ends as a tar ends', make: 'head -c 20480 /dev/zero > zeros && echo x > after' },
  {
    name: 'a file that begins as a header of tar does',
    make: python(
      'open("a", "wb").write(b"evil".ljust(257, b"\\0") + b"ustar\\x0000".ljust(255, b"\\0"))',
      'open("b", "w").close()',
    ),
  },
  {
    name: 'a file that is a frame of zstd',
    make: 'echo x | zstd -q > a.zst && head -c 100000 /dev/urandom | zstd -q > b.zst',
    options: ['--compress', 'zstd'],
    by: 'shoal',
  },
  {
    name: 'files that are all alike, stored once',
    make: 'for i in $(seq 300); do echo same > f$i; done',
    options: ['--dedupe'],
    by: 'shoal',
  },
  {
    name: 'large files that are alike but for their last byte',
    make: 'head -c 2000000 /dev/zero > a && cp a b && printf x >> a && printf y >> b',
    options: ['--dedupe'],
  },
  {
    name: 'giants of holes that are alike, stored once',
    make: 'truncate -s 1G a && echo x >> a && cp --sparse=always a b',
    options: ['--dedupe'],
    by: 'shoal',
  },
  { name: 'a single byte', make: 'printf x > f' },
  {
    name: 'a file larger than a volume is told',
    make: 'head -c 200000 /dev/urandom > f && echo x > g',
    options: ['--volume-size', '64K'],
    told: [/tree\/f|^shoal: pack: f: /],
    by: 'shoal',
  },
];
