"""Makes a tree with everything that a filesystem allows and a packer may get wrong. Called by torture-tree.ts.

Python because Node has no mknod, mkfifo, xattrs, nanoseconds or openat. Everything is deterministic but for owner and inode numbers.
usage: torture-tree.py DIRECTORY OPTIONS-AS-JSON; prints notes as JSON.
"""

import json
import os
import random
import socket
import stat
import struct
import sys

root = os.fsencode(sys.argv[1])
options = json.loads(sys.argv[2])
as_root = options["root"]
notes = {"sockets": [], "skipped": []}
times = {}  # path -> mtime in nanoseconds, set at the end because making children changes a directory's
randoms = random.Random(20240501)


def at(*parts):
    return os.path.join(root, *[p if isinstance(p, bytes) else p.encode() for p in parts])


def skipped(what, error):
    notes["skipped"].append(f"{what}: {error}")


def directory(*parts):
    path = at(*parts)
    os.makedirs(path, exist_ok=True)
    return path


def file(path, content=b"", mtime=None):
    with open(path, "wb") as out:
        out.write(content)
    if mtime is not None:
        times[path] = mtime
    return path


def xattr(path, name, value):
    try:
        os.setxattr(path, name, value, follow_symlinks=False)
    except OSError as error:
        skipped(f"xattr {name}", error)


def names():
    here = directory("names")
    longest = [b"n" * 255, ("é" * 127 + "x").encode(), b"\xff" * 255]
    odd = [b"new\nline", b"\n", b" leading", b"trailing ", b"quote'\"`", b"back\\slash", b"-rf", b"--help", b"\xff\xfe\x80",
           b"tab\there", b"*?[a]", b"%41=%3D", "é".encode(), "日本語".encode(), b"\x01\x1b[31mred", b"...", b"..a", b"a:b", b"a@b",
           b"C:\\x", b"~", b"#x", b"$HOME", b"\x7f"]
    for name in longest + odd:
        file(os.path.join(here, name), b"content of " + name)
    for name in [b"\xc3(dir", b"-dir", b"dir\nname", ("ü" * 127).encode()]:
        inner = directory("names", name)
        file(os.path.join(inner, b"child"), name)
        file(os.path.join(inner, b"\xe9t\xe9"), name)


def lengths():
    """Paths and link targets of every length near the limits of ustar's fields."""
    for here, letter in ((b"lengths-ascii", b"p"), (b"lengths-bytes", b"\xe9")):
        for total in (99, 100, 101, 154, 155, 156, 157, 254, 255, 256, 257, 258, 300):
            for longest in (60, 120):  # path components: with and without a place to split at
                parts = []
                rest = total - len(here) - 1
                while rest > 0:
                    length = rest if rest <= longest else min(longest, rest - 10)
                    parts.append((b"%d-%d-" % (total, longest) + letter * length)[:length])
                    rest -= length + 1
                directory(here, *parts[:-1])
                file(at(here, *parts), b"%d" % total)
    here = directory("targets")
    for length in (1, 99, 100, 101, 255, 4095):
        os.symlink(b"t" * length, os.path.join(here, b"ascii%d" % length))
        os.symlink((b"\xe9/" * length)[:length], os.path.join(here, b"bytes%d" % length))


def deep():
    """Chains far beyond PATH_MAX, made step by step relative to a descriptor."""
    for name, steps in ((b"d" * 200, options["deepSteps"]), (b"\xe9" * 100, options["deepSteps"]), (b"s", options["narrowSteps"])):
        fd = os.open(directory("deep"), os.O_RDONLY | os.O_DIRECTORY)
        for step in range(steps):
            os.mkdir(name, dir_fd=fd)
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
            if step % 7 == 3 or step == steps - 1:
                out = os.open(b"file", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=inner)
                os.write(out, b"at depth %d" % step)
                os.close(out)
            if step == steps - 1:
                os.symlink(b"file", b"link", dir_fd=inner)
                os.link(b"file", b"hard", src_dir_fd=inner, dst_dir_fd=inner)
            os.close(fd)
            fd = inner
        os.close(fd)
        fd = os.open(at("deep"), os.O_RDONLY | os.O_DIRECTORY)
        for step in range(steps):
            os.utime(name, ns=(0, 10**18 + step), dir_fd=fd)
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
            os.close(fd)
            fd = inner
        os.close(fd)
    times[at("deep")] = 5 * 10**17


def links():
    here = directory("links")
    other = directory("links", "other", "further")
    first = file(os.path.join(here, b"one"), b"linked content", 1_500_000_000_123_456_789)
    os.link(first, os.path.join(other, b"two"))
    os.link(first, at("links", "a-first"))
    os.link(file(os.path.join(other, b"empty")), os.path.join(here, b"empty-too"))
    long = directory("links", "l" * 120, "m" * 120)
    os.link(file(os.path.join(long, b"\xffbytes" + b"n" * 100), b"far"), os.path.join(long, b"z-other"))
    os.link(file(os.path.join(long, b"ascii" + b"n" * 100), b"far too"), os.path.join(long, b"z-ascii"))
    os.link(os.path.join(long, b"z-other"), at("links", b"zz-\xff"))
    outside = file(os.path.join(here, b"outside"), b"a name lies outside")
    os.link(outside, os.path.join(os.path.dirname(root), b"." + os.path.basename(root) + b"-outside"))
    for name, target in ((b"dangling", b"nowhere/at/all"), (b"absolute", b"/etc/hostname"), (b"loop", b"loop"), (b"ping", b"pong"),
                         (b"pong", b"ping"), (b"up", b"../.."), (b"dot", b"."), (b"bytes", b"\xff\n'"), (b"slash", b"other/")):
        os.symlink(target, os.path.join(here, name))
    os.link(os.path.join(here, b"dangling"), os.path.join(here, b"z-dangling"), follow_symlinks=False)


def kinds():
    here = directory("kinds")
    directory("kinds", "empty-directory")
    file(os.path.join(here, b"empty-file"))
    os.mkfifo(os.path.join(here, b"fifo"), 0o640)
    os.link(os.path.join(here, b"fifo"), os.path.join(here, b"fifo-too"))
    before = os.getcwd()
    os.chdir(here)  # a socket's path is at most 107 bytes
    for name in (b"socket", b"socket\n\xff"):
        server = socket.socket(socket.AF_UNIX)
        server.bind(name)
        server.close()
        notes["sockets"].append((b"kinds/" + name).decode("latin-1"))
    os.chdir(before)
    if as_root:
        for name, kind, major, minor in ((b"null", stat.S_IFCHR, 1, 3), (b"big", stat.S_IFCHR, 4095, 1048575), (b"disk", stat.S_IFBLK, 7, 300)):
            try:
                os.mknod(os.path.join(here, name), kind | 0o660, os.makedev(major, minor))
            except OSError as error:
                skipped("device", error)


def modes():
    here = directory("modes")
    for mode in sorted({*range(0, 0o10000, 13), 0o0, 0o7777, 0o4755, 0o2755, 0o1777}):
        if not as_root and mode & 0o400 == 0:
            continue
        path = file(os.path.join(here, b"f%04o" % mode), b"%o" % mode)
        os.chmod(path, mode)
    for mode in (0o0, 0o700, 0o1777, 0o2775, 0o7777, 0o555, 0o111):
        if as_root or mode & 0o500 == 0o500:
            path = directory("modes", b"d%04o" % mode)
            file(os.path.join(path, b"inside"), b"x")
            os.chmod(path, mode)


def owners():
    if not as_root:
        return
    here = directory("owners")
    for uid, gid in ((0, 0), (1000, 1001), (2097151, 2097151), (2097152, 3000000), (4294967294, 4294967293)):
        os.chown(file(os.path.join(here, b"%d-%d" % (uid, gid)), b"owned"), uid, gid)
    os.symlink(b"x", os.path.join(here, b"link"))
    os.lchown(os.path.join(here, b"link"), 1234, 4321)


def mtimes():
    here = directory("mtimes")
    second = 10**9
    for ns in (0, 1, -1, second, -second, -second // 2, 5 * second + 100, 1_600_000_000 * second + 999_999_999,
               1_600_000_000 * second + 120_000_000, -(2**31) * second, -(2**31) * second + 1, 2**31 * second, 2**32 * second + 7,
               4_300_000_000 * second, 8_589_934_591 * second, 8_589_934_592 * second, 15_000_000_000 * second + 5):
        times[file(os.path.join(here, b"t%d" % ns), b"t")] = ns
    times[directory("mtimes", "directory")] = -77_000_000_001
    os.symlink(b"t0", os.path.join(here, b"link"))
    times[os.path.join(here, b"link")] = 123_456_789_000_000_001


def xattrs():
    here = directory("xattrs")
    for index in range(3):  # equal sets, stored once
        path = file(os.path.join(here, b"same%d" % index), b"x")
        xattr(path, b"user.mime", b"text/plain")
        xattr(path, b"user.a", b"1")
    path = file(os.path.join(here, b"odd"), b"x")
    xattr(path, b"user.empty", b"")
    xattr(path, b"user.binary", bytes(range(256)))
    xattr(path, b"user.name=with%3D%", b"line\nline\n")
    xattr(path, b"user.\xff\xe9", b"name is no text")
    xattr(file(os.path.join(here, b"large"), b"x"), b"user.large", b"v" * 3000)
    xattr(directory("xattrs", "directory"), b"user.on", b"directory")
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *row) for row in
                                          ((1, 6, 2**32 - 1), (2, 4, 1000), (4, 4, 2**32 - 1), (16, 4, 2**32 - 1), (32, 0, 2**32 - 1)))
    xattr(file(os.path.join(here, b"acl"), b"x"), b"system.posix_acl_access", acl)
    if as_root:
        xattr(file(os.path.join(here, b"trusted"), b"x"), b"trusted.shoal", b"t")
        xattr(file(os.path.join(here, b"capable"), b"x"), b"security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))
        link = os.path.join(here, b"link")
        os.symlink(b"odd", link)
        xattr(link, b"trusted.link", b"on a link")


def sizes():
    here = directory("sizes")
    for size in (1, 511, 512, 513, 10239, 10240, 65535, 65536, 131071, 131072, 131073, 262144, 262145, 1048575, 1048576, 1048577, 5_000_001):
        file(os.path.join(here, b"%d" % size), randoms.randbytes(size))
    file(os.path.join(here, b"zeros"), bytes(300_000))


def sparse():
    here = directory("sparse")
    kib = 1024

    def holed(name, size, *pieces):
        with open(os.path.join(here, name), "wb") as out:
            for offset, content in pieces:
                out.seek(offset)
                out.write(content)
            out.truncate(size)

    some = randoms.randbytes(100 * kib)
    holed(b"all-hole", 1 << 20)
    holed(b"hole-first", 200 * kib + 100, (200 * kib, some[:100]))
    holed(b"hole-last", 1 << 20, (0, some[:5000]))
    holed(b"small-holes", 100 * kib, (0, some[:4096]), (40 * kib, some[:4096]))
    holed(b"middle", 700 * kib, (0, some), (400 * kib, some), (600 * kib, some[:7]))
    holed(b"many", 400 * 128 * kib, *[(i * 128 * kib, some[i : i + 4096]) for i in range(400)])
    holed(b"exactly", 128 * kib, (64 * kib, some[: 64 * kib]))
    holed(b"\xff" * 120, 300 * kib, (0, some[:1]))
    holed(b"long" * 60, 300 * kib, (0, some[:1]))
    if options["hugeSparse"]:
        gib = 1 << 30
        holed(b"ten-gibibytes", 10 * gib, (3, some), (5 * gib + 17, some), (9 * gib, some))
        holed(b"over-eight", 8 * gib + 12345, (8 * gib, some[:12345]))


def crowd():
    if options["crowd"]:
        directory("crowd")
        fd = os.open(at("crowd"), os.O_RDONLY | os.O_DIRECTORY)
        for index in range(options["crowd"]):
            out = os.open(b"%d" % (index * 7919 % options["crowd"]), os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=fd)
            os.write(out, b"%d\n" % index)
            os.close(out)
        os.close(fd)


os.makedirs(root, exist_ok=True)
for part in (names, lengths, deep, links, kinds, modes, owners, mtimes, xattrs, sizes, sparse, crowd):
    part()
times[root] = 987_654_321_987_654_321
for path, ns in times.items():
    os.utime(path, ns=(ns if ns >= 0 else 0, ns), follow_symlinks=False)
print(json.dumps(notes))
