import { type OddTree, python } from './odd-tree.ts';

const bytes = 'bytes([b]) for b in range(1, 256) if b not in b"/."';

/** Names of files and directories. */
export const names: readonly OddTree[] = [
  { name: 'files called by each single byte', make: python(`for n in [${bytes}]: open(n, "wb").write(n)`) },
  { name: 'directories called by each single byte', make: python(`for n in [${bytes}]: os.mkdir(n)`) },
  {
    name: 'a file in a directory called by each single byte',
    make: python(`for n in [${bytes}]:\n  os.mkdir(n)\n  open(n + b"/" + n, "wb").write(n)`),
  },
  { name: 'names of 255 times each byte', make: python(`for n in [${bytes}]: open(n * 255, "wb").write(n)`) },
  {
    name: 'all pairs of bytes above 127',
    make: python('for a in range(128, 256):\n  for b in range(128, 256, 7): open(bytes([a, b]), "wb").close()'),
  },
  { name: 'a newline alone', make: "echo x > $'\\n'" },
  { name: 'newlines at both ends', make: "echo x > $'\\nname\\n'" },
  {
    name: 'a directory called by newlines with a file of that name',
    make: "mkdir $'\\n\\n' && echo x > $'\\n\\n/\\n\\n'",
  },
  { name: 'carriage returns and tabs', make: "touch $'a\\rb' $'a\\tb' $'\\r\\n'" },
  { name: 'sequences that clear a terminal', make: "touch $'\\e[2J' $'\\e]0;title\\a' $'\\x9b2J'" },
  { name: 'backspaces and a bell', make: "touch $'a\\b\\b' $'\\a'" },
  { name: 'blanks only', make: "touch ' ' '  ' '   ' && mkdir '    '" },
  { name: 'three and four dots', make: 'touch ... && mkdir ....' },
  { name: 'names that begin with a dash', make: 'touch -- -rf --help -o - -- --exclude' },
  { name: 'quotes of all kinds', make: "touch \"'\" '\"' '`' $'\\xe2\\x80\\x9c' '$(reboot)'" },
  { name: 'backslashes and what looks like escapes', make: "touch '\\' 'a\\nb' '\\x41' '\\\\'" },
  { name: 'patterns of the shell', make: "touch '*' '?' '[a]' '{a,b}' '!' '~'" },
  { name: 'names that look like octal escapes of tar', make: "touch '\\040' '\\012' '\\303\\251'" },
  { name: 'percent signs', make: "touch '%s' '%n%n%n' '%00' '%2F'" },
  { name: 'Latin-1', make: "touch $'\\xe9t\\xe9' && mkdir $'\\xfc' && echo x > $'\\xfc/\\xdf'" },
  { name: 'UTF-8 that is cut off', make: "touch $'\\xc3' $'\\xe2\\x82' $'\\xf0\\x9f\\x98'" },
  { name: 'overlong UTF-8 of a slash and of NUL', make: "touch $'\\xc0\\xaf' $'\\xc0\\x80'" },
  { name: 'surrogates in UTF-8', make: "touch $'\\xed\\xa0\\x80' $'\\xed\\xbf\\xbf'" },
  { name: 'bytes that no UTF-8 has', make: "touch $'\\xfe' $'\\xff' $'\\xf8\\x88\\x80\\x80\\x80'" },
  { name: 'the byte order mark', make: "touch $'\\xef\\xbb\\xbf' $'\\xef\\xbb\\xbfa'" },
  { name: 'one word composed and decomposed', make: "echo 1 > $'\\xc3\\xa9' && echo 2 > $'e\\xcc\\x81'" },
  { name: 'a name that is shown from right to left', make: "touch $'\\xe2\\x80\\xaegpj.exe'" },
  { name: 'names that differ in case only', make: 'touch readme README ReadMe && mkdir Dir dir' },
  { name: 'names that Windows keeps for itself', make: "touch CON aux.txt 'a:b' 'trailing.' 'trailing '" },
  { name: 'emojis of several code points', make: "touch $'\\xf0\\x9f\\x91\\xa9\\xe2\\x80\\x8d\\xf0\\x9f\\x94\\xac'" },
  { name: 'zero-width characters alone', make: "touch $'\\xe2\\x80\\x8b' $'\\xe2\\x80\\x8d'" },
  {
    name: 'a directory called like a header of pax',
    make: 'mkdir PaxHeaders PaxHeaders.0 pax_global_header && touch PaxHeaders/a PaxHeaders.0/b',
  },
  { name: 'a file called pax_global_header', make: "printf '30 comment=SHOAL.image=0123456\\n' > pax_global_header" },
  { name: 'names that are records of pax', make: "touch '12 path=evil' $'15 size=9999\\n' 'SCHILY.xattr.user.a=b'" },
  { name: 'a name that is a record of pax longer than 100 bytes', make: `touch "$(printf '130 path=%0120d' 0)"` },
  { name: 'names with an equals sign', make: "touch '=' 'a=b' '=a' 'comment='" },
  {
    name: 'names of sparse members of GNU tar',
    make: 'mkdir GNUSparseFile.0 && echo x > GNUSparseFile.0/a && truncate -s 1M GNUSparseFile.0/holes',
  },
  {
    name: 'names that GNU tar uses for long names',
    make: "mkdir '././@LongLink' 2>/dev/null || mkdir @LongLink; touch @LongLink/a",
  },
  {
    name: 'names of members that Shoal uses itself',
    make: 'mkdir .shoal && touch .shoal/index .shoal-tail shoal.head SHOAL .shoal-removed. .shoal-removed.x',
  },
  {
    name: 'images of Shoal',
    make: 'mkdir in && echo x > in/f && echo SHOAL > in/tree.shoal && echo x > tree.shoal && touch tree.tar tree.shoal.partial',
  },
  {
    name: 'what a killed run leaves, in the tree',
    make: 'mkdir old.shoal.partial && touch old.shoal.partial/lease old.shoal.partial/plan old.shoal.partial/journal',
  },
  { name: 'a name of 255 bytes of two-byte characters and one', make: python('open("é" * 127 + "x", "w").close()') },
  { name: 'names of 99, 100 and 101 bytes', make: python('for n in (99, 100, 101): open("n" * n, "w").write(str(n))') },
  {
    name: 'paths of 154 to 157 bytes with a slash at 100',
    make: python(
      'for n in range(53, 59):\n  os.makedirs("d" * 100, exist_ok=True)\n  open("d" * 100 + "/" + "f" * n, "w").close()',
    ),
  },
  {
    name: 'paths of 255 to 257 bytes that ustar could hold or not',
    make: python(
      'for d in (153, 154, 155, 156):\n  os.mkdir("d" * d)\n  for f in (99, 100, 101): open("d" * d + "/" + "f" * f, "w").close()',
    ),
  },
  { name: 'a directory name of 255 bytes twelve times over', make: python('os.makedirs("/".join(["d" * 255] * 12))') },
  {
    name: 'directories that are prefixes of their neighbours',
    make: 'mkdir -p a ab abc a.b "a b" && touch a/x ab/x abc/x a.b/x "a b/x" a0 a-',
  },
  {
    name: 'names that sort before and after a slash',
    make: "mkdir a && touch a/b 'a!' 'a.' 'a0' 'a\\' $'a\\x01' $'a\\xff'",
  },
  { name: 'names in a tree with frames', make: "touch $'\\xff' $'\\n' 'a=b'", options: ['--compress', 'zstd'] },
  {
    name: 'a name of 255 bytes above 127 with holes and a further name',
    make: python('n = b"\\xfe" * 255\nopen(n, "wb").truncate(1 << 20)\nos.link(n, b"\\xfd" * 255)'),
  },
];
