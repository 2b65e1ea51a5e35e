"""Reads files of a mount until it is gone, each time from its server, and holds them against their source.

read-until-gone.py MOUNT SOURCE hold|reopen: prints a line after the first file; ends with 0 when, after the mount has been taken away, a call
fails as it then may; with 1 for a wrong byte or an early error.
"""

import errno
import os
import random
import sys

mount, source, way = sys.argv[1:]
names = os.listdir(source)
content = {name: open(os.path.join(source, name), "rb").read() for name in names}
# EIO: what read(2) makes of it when the connection ends while it waits for a page.
gone = {errno.ENOTCONN, errno.ENOENT, errno.ECONNABORTED, errno.EIO}


def is_mounted():
    with open("/proc/self/mountinfo", "rb") as lines:
        return any(line.split(b" ")[4] == os.fsencode(mount) for line in lines)


def check(descriptor, name):
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    expected = content[name]
    at = 0
    while True:
        # A read may stop before a page that cannot be had; what it gives up to there is exact, and the next one fails.
        found = os.pread(descriptor, len(expected) + 1 - at, at)
        if found != expected[at : at + len(found)] or (not found and at < len(expected)):
            sys.exit(f"{name}: wrong bytes at {at}")
        if not found:
            return
        at += len(found)


held = {name: os.open(os.path.join(mount, name), os.O_RDONLY) for name in names} if way == "hold" else {}
first = True
while True:
    name = random.choice(names)
    try:
        descriptor = held[name] if held else os.open(os.path.join(mount, name), os.O_RDONLY)
        check(descriptor, name)
        if not held:
            os.close(descriptor)
    except OSError as error:
        if is_mounted() or error.errno not in gone:
            sys.exit(f"{name}: {error}")
        sys.exit(0)
    if first:
        print("reads", flush=True)
        first = False
