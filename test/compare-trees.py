"""Compares two directories in every attribute and byte, by descriptors, so at any depth. Called by compare-trees.ts.

usage: compare-trees.py EXPECTED FOUND OPTIONS-AS-JSON; prints a JSON array of differences, each a string.
"""

import errno
import json
import os
import resource
import stat
import sys

options = json.loads(sys.argv[3])
ignore = set(options["ignore"])
limit = options["limit"]
differences = []
links = ({}, {})  # per side: (device, inode) -> first path, to compare which names are one file
BLOCK = 8 << 20
ZEROS = bytes(BLOCK)

_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
sys.setrecursionlimit(100_000)


def differ(path, what, expected, found):
    differences.append(f"{path.decode('utf-8', 'backslashreplace')}: {what}: expected {expected!r}, found {found!r}")


def xattrs_of(fd, name):
    """Attributes of `name` in the directory `fd`, whatever it is; a path through /proc works for symbolic links and at any depth."""
    path = os.path.join(b"/proc/self/fd/%d" % fd, name)
    try:
        return {key: os.getxattr(path, key, follow_symlinks=False) for key in os.listxattr(path, follow_symlinks=False)}
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENOSYS):
            return None
        raise


def data_end(fd, offset, size):
    """Where the data or the hole at `offset` ends, and which it is."""
    try:
        data = os.lseek(fd, offset, os.SEEK_DATA)
    except OSError as error:
        return (size, False) if error.errno == errno.ENXIO else (size, True)
    if data > offset:
        return min(data, size), False
    return min(os.lseek(fd, offset, os.SEEK_HOLE), size), True


def compare_content(path, left, right, size):
    offset = 0
    while offset < size:
        left_end, left_data = data_end(left, offset, size)
        right_end, right_data = data_end(right, offset, size)
        end = min(left_end, right_end, offset + BLOCK) if left_data or right_data else min(left_end, right_end)
        if end <= offset:
            end = min(offset + BLOCK, size)
            left_data = right_data = True
        if left_data or right_data:
            length = end - offset
            a = os.pread(left, length, offset) if left_data else ZEROS[:length]
            b = os.pread(right, length, offset) if right_data else ZEROS[:length]
            if a != b:
                at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
                differ(path, f"content at {offset + at}", a[at : at + 8].hex(), b[at : at + 8].hex())
                return
        offset = end


def compare_entry(path, name, left_dir, right_dir):
    left = os.stat(name, dir_fd=left_dir, follow_symlinks=False)
    right = os.stat(name, dir_fd=right_dir, follow_symlinks=False)
    is_directory = stat.S_ISDIR(left.st_mode)
    if stat.S_IFMT(left.st_mode) != stat.S_IFMT(right.st_mode):
        differ(path, "type", oct(stat.S_IFMT(left.st_mode)), oct(stat.S_IFMT(right.st_mode)))
        return
    pairs = [
        ("mode", oct(left.st_mode & 0o7777), oct(right.st_mode & 0o7777)),
        ("uid", left.st_uid, right.st_uid),
        ("gid", left.st_gid, right.st_gid),
        ("mtime", left.st_mtime_ns, right.st_mtime_ns),
    ]
    if not is_directory:
        pairs += [("nlink", left.st_nlink, right.st_nlink), ("size", left.st_size, right.st_size)]
        if left.st_nlink > 1:
            names = [seen.setdefault((s.st_dev, s.st_ino), path) for seen, s in zip(links, (left, right))]
            pairs.append(("linked to", names[0].decode("latin-1"), names[1].decode("latin-1")))
    if stat.S_ISCHR(left.st_mode) or stat.S_ISBLK(left.st_mode):
        pairs.append(("rdev", left.st_rdev, right.st_rdev))
    if stat.S_ISLNK(left.st_mode):
        pairs.append(("target", os.readlink(name, dir_fd=left_dir), os.readlink(name, dir_fd=right_dir)))
    for what, expected, found in pairs:
        if expected != found and what not in ignore:
            differ(path, what, expected, found)
    if "xattrs" not in ignore:
        expected, found = xattrs_of(left_dir, name), xattrs_of(right_dir, name)
        if (expected or {}) != (found or {}):
            differ(path, "xattrs", expected, found)
    if stat.S_ISREG(left.st_mode) and left.st_size == right.st_size and "content" not in ignore:
        descriptors = [os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=d) for d in (left_dir, right_dir)]
        compare_content(path, *descriptors, left.st_size)
        for descriptor in descriptors:
            os.close(descriptor)
    if is_directory:
        compare_directories(path, *[os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=d) for d in (left_dir, right_dir)])


def compare_directories(path, left, right):
    names = [set(map(os.fsencode, os.listdir(fd))) for fd in (left, right)]
    if "sockets" in ignore:
        names[0] = {n for n in names[0] if not stat.S_ISSOCK(os.stat(n, dir_fd=left, follow_symlinks=False).st_mode)}
    for name in sorted(names[0] | names[1]):
        inner = path + b"/" + name
        if len(differences) >= limit:
            break
        if name not in names[1]:
            differ(inner, "name", "present", "missing")
        elif name not in names[0]:
            differ(inner, "name", "missing", "present")
        else:
            compare_entry(inner, name, left, right)
    os.close(left)
    os.close(right)


here = [os.open(os.path.join(os.fsencode(path), b"."), os.O_RDONLY | os.O_DIRECTORY) for path in sys.argv[1:3]]
compare_entry(b".", b".", *here)
print(json.dumps(differences))
