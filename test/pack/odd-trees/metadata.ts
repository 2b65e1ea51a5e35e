import { type OddTree, python } from './odd-tree.ts';

const at = (time: string) => `echo x > f && touch -d ${time} f && mkdir d && touch -d ${time} d`;
const ns = (value: string) => python('open("f", "w").close()', `os.utime("f", ns=(0, ${value}))`);
const acl = (...rows: string[]) =>
  python(
    `acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *row) for row in [${rows.join(', ')}])`,
    'open("f", "w").close()',
    'os.mkdir("d")',
    'os.setxattr("f", "system.posix_acl_access", acl)',
    'os.setxattr("d", "system.posix_acl_default", acl)',
  );
const none = '2**32 - 1';

/** Times, extended attributes, access control lists and capabilities. */
export const metadata: readonly OddTree[] = [
  { name: 'the first second of 1970', make: at('@0') },
  { name: 'the second before 1970', make: at('@-1') },
  { name: 'a time in 1901', make: at('@-2147483648') },
  { name: 'the first second that 32 bits lack', make: at('@2147483648') },
  { name: 'the last second of 32 bits without a sign', make: at('@4294967295') },
  {
    name: 'a time in 2262, where nanoseconds leave 64 bits',
    make: 'touch -d @9223372037 f',
  },
  { name: 'the last second of eleven octal digits', make: at('@8589934591') },
  { name: 'the first second beyond eleven octal digits', make: at('@8589934592') },
  {
    name: 'the last second of this filesystem',
    make: 'touch -d 9999-12-31T23:59:59 f && touch -d 2446-05-10T22:38:55 g',
  },
  { name: 'one nanosecond after 1970', make: ns('1') },
  { name: 'one nanosecond before 1970', make: ns('-1') },
  { name: 'half a second before 1970', make: ns('-500_000_000') },
  { name: 'all nine digits of nanoseconds', make: ns('1_234_567_890_987_654_321') },
  { name: 'nanoseconds with zeros at their end', make: ns('1_234_567_890_100_000_000') },
  { name: 'nanoseconds with zeros at their beginning', make: ns('1_234_567_890_000_000_007') },
  { name: 'a link older than 1970', make: 'ln -s x l && touch -h -d @-5.25 l' },
  { name: 'times in the future', make: 'echo x > f && touch -d "+10 years" f && touch -d "+1 hour" .' },
  { name: 'a root older than 1970', make: 'echo x > f && touch -d @-100000.75 .' },
  {
    name: 'an attribute without a value',
    make: python('open("f", "w").close()', 'os.setxattr("f", "user.empty", b"")'),
  },
  {
    name: 'an attribute of which the value has every byte',
    make: python('open("f", "w").close()', 'os.setxattr("f", "user.bytes", bytes(range(256)))'),
  },
  {
    name: 'an attribute of which the value is a record of pax',
    make: python('open("f", "w").close()', 'os.setxattr("f", "user.pax", b"20 path=../../evil\\n\\n\\0")'),
  },
  {
    name: 'an attribute that is as large as fits',
    make: python('open("f", "w").close()', 'os.setxattr("f", "user.large", b"v" * 3900)'),
  },
  {
    name: 'forty attributes on one file',
    make: python('open("f", "w").close()', 'for i in range(40): os.setxattr("f", "user.a%d" % i, b"v%d" % i)'),
  },
  {
    name: 'an attribute with a name of 255 bytes',
    make: python('open("f", "w").close()', 'os.setxattr("f", "user." + "n" * 250, b"v")'),
  },
  {
    name: 'attributes on directories and the root',
    make: python('os.mkdir("d")', 'os.setxattr("d", "user.a", b"1")', 'os.setxattr(".", "user.root", b"2")'),
  },
  {
    name: 'five hundred files with an attribute each of its own',
    make: python(
      'for i in range(500):',
      '  open("f%d" % i, "w").close()',
      '  os.setxattr("f%d" % i, "user.n", b"%d" % i)',
    ),
  },
  {
    name: 'an attribute with a name that is no text',
    make: python('open("f", "w").close()', 'os.setxattr("f", b"user.\\xff\\xe9", b"v")'),
    by: 'shoal',
  },
  {
    name: 'an attribute with an equals sign in its name',
    make: python('open("f", "w").close()', 'os.setxattr("f", "user.a=b", b"c=d")'),
    by: 'shoal',
  },
  {
    name: 'attributes that only root sees',
    make: python(
      'open("f", "w").close()',
      'os.setxattr("f", "trusted.a", b"v")',
      'os.symlink("x", "l")',
      'os.setxattr("l", "trusted.l", b"v", follow_symlinks=False)',
    ),
    root: true,
  },
  {
    name: 'an attribute on a FIFO and on a device',
    make: python(
      'os.mkfifo("p")',
      'os.mknod("c", 0o020644, os.makedev(1, 3))',
      'os.setxattr("p", "trusted.a", b"v")',
      'os.setxattr("c", "trusted.a", b"w")',
    ),
    root: true,
  },
  {
    name: 'an access control list for a user',
    make: acl(`(1, 6, ${none})`, '(2, 4, 1000)', `(4, 4, ${none})`, `(16, 4, ${none})`, `(32, 0, ${none})`),
  },
  {
    name: 'an access control list for users with large numbers',
    make: acl(
      `(1, 7, ${none})`,
      '(2, 7, 4294967290)',
      `(4, 0, ${none})`,
      '(8, 5, 3000000000)',
      `(16, 7, ${none})`,
      `(32, 0, ${none})`,
    ),
  },
  {
    name: 'an access control list of a hundred users',
    make: acl(
      `(1, 6, ${none})`,
      '*[(2, i % 8, 1000 + i) for i in range(100)]',
      `(4, 4, ${none})`,
      `(16, 7, ${none})`,
      `(32, 4, ${none})`,
    ),
  },
  {
    name: 'an access control list whose mask takes all away',
    make: acl(`(1, 7, ${none})`, '(2, 7, 1000)', `(4, 7, ${none})`, `(16, 0, ${none})`, `(32, 0, ${none})`),
  },
  {
    name: 'capabilities',
    make: python(
      'open("f", "w").close()',
      'os.setxattr("f", "security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))',
    ),
    root: true,
  },
  {
    name: 'capabilities of a user namespace',
    make: python(
      'open("f", "w").close()',
      'os.setxattr("f", "security.capability", bytes.fromhex("0100000300040000000000000000000000000000e8030000"))',
    ),
    root: true,
  },
  {
    name: 'capabilities, an owner and set-user-ID at once',
    make: python(
      'open("f", "w").close()',
      'os.chown("f", 7, 8)',
      'os.chmod("f", 0o6755)',
      'os.setxattr("f", "security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))',
    ),
    root: true,
    by: 'shoal',
  },
  {
    name: 'a label as SELinux gives it',
    make: python('open("f", "w").close()', 'os.setxattr("f", "security.selinux", b"system_u:object_r:tmp_t:s0\\0")'),
    root: true,
  },
];
