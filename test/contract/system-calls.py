"""Makes system calls and tells what they give, errors by name. Called by system-calls.ts.

Python because Node has no xattrs, lseek, mknod, seekdir or *at calls. A JSON list of requests on stdin, a JSON list of answers on stdout:
{"value": ...} or {"error": "ENOENT"}. Bytes are hexadecimal both ways, numbers beyond 2^53 are strings.
"""

import ctypes
import errno
import fcntl
import hashlib
import json
import mmap
import os
import random
import stat
import subprocess
import sys
import threading

libc = ctypes.CDLL(None, use_errno=True)


class Dirent(ctypes.Structure):
    _fields_ = [("ino", ctypes.c_uint64), ("off", ctypes.c_int64), ("length", ctypes.c_uint16), ("type", ctypes.c_uint8),
                ("name", ctypes.c_char * 256)]


libc.opendir.restype = ctypes.c_void_p
libc.opendir.argtypes = [ctypes.c_char_p]
libc.readdir64.restype = ctypes.POINTER(Dirent)
libc.readdir64.argtypes = [ctypes.c_void_p]
libc.telldir.restype = ctypes.c_long
libc.telldir.argtypes = [ctypes.c_void_p]
libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
libc.closedir.argtypes = [ctypes.c_void_p]


def lstat(path):
    found = os.lstat(path)
    keys = ["st_mode", "st_uid", "st_gid", "st_nlink", "st_size", "st_blocks", "st_ino", "st_mtime_ns"]
    return {key[3:]: str(getattr(found, key)) for key in keys} | {"rdev": f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"}


def lstats(paths):
    return [lstat(bytes.fromhex(path)) for path in paths]


def with_open(path, flags, action):
    descriptor = os.open(path, flags)
    try:
        return action(descriptor)
    finally:
        os.close(descriptor)


def open_only(path, flags):
    return with_open(path, flags, lambda descriptor: None)


def pread(path, length, offset, flags=0):
    return with_open(path, os.O_RDONLY | flags, lambda descriptor: os.pread(descriptor, length, offset).hex())


def preads(path, places, direct):
    """SHA-1 of what lies at each [offset, length], one descriptor for all."""
    def read(descriptor):
        if not direct:
            return [hashlib.sha1(os.pread(descriptor, length, offset)).hexdigest() for offset, length in places]
        # Memory for O_DIRECT is aligned, as a map of no file is.
        sums = []
        for offset, length in places:
            with mmap.mmap(-1, length) as into:
                got = os.preadv(descriptor, [into], offset)
                sums.append(hashlib.sha1(into[:got]).hexdigest())
        return sums
    return with_open(path, os.O_RDONLY | (os.O_DIRECT if direct else 0), read)


def access_to_write(path):
    if libc.access(path, os.W_OK) != 0:
        raise OSError(ctypes.get_errno(), "access")


def lseek(path, offset, whence):
    return with_open(path, os.O_RDONLY, lambda descriptor: os.lseek(descriptor, offset, getattr(os, whence)))


def getxattr(path, name, size):
    """With a buffer of exactly `size` bytes; 0 asks for the length."""
    into = ctypes.create_string_buffer(size) if size > 0 else None
    got = libc.lgetxattr(path, name.encode(), into, ctypes.c_size_t(size))
    if got < 0:
        raise OSError(ctypes.get_errno(), "lgetxattr")
    return {"length": got, "bytes": into.raw[:got].hex() if into else ""}


def listxattr(path, size):
    into = ctypes.create_string_buffer(size) if size > 0 else None
    got = libc.llistxattr(path, into, ctypes.c_size_t(size))
    if got < 0:
        raise OSError(ctypes.get_errno(), "llistxattr")
    return {"length": got, "names": into.raw[:got].decode().split("\0")[:-1] if into else []}


def mapped(path):
    """SHA-1 of a file read through a map, page by page in random order."""
    def read(descriptor):
        size = os.fstat(descriptor).st_size
        with mmap.mmap(descriptor, size, prot=mmap.PROT_READ) as view:
            starts = list(range(0, size, mmap.PAGESIZE))
            random.Random(1).shuffle(starts)
            for start in starts:
                view[start]
            return hashlib.sha1(view[:]).hexdigest()
    return with_open(path, os.O_RDONLY, read)


def execute(path, argument):
    return subprocess.run([path, argument], check=True, capture_output=True, text=True).stdout


class Listing:
    def __init__(self, path):
        self.stream = libc.opendir(path)
        if not self.stream:
            raise OSError(ctypes.get_errno(), "opendir")

    def read(self):
        entry = libc.readdir64(self.stream)
        return (entry.contents.name, entry.contents.ino, entry.contents.type) if entry else None

    def rest(self):
        return list(iter(self.read, None))

    def close(self):
        libc.closedir(self.stream)


def list_all(path):
    listing = Listing(path)
    found = listing.rest()
    listing.close()
    return [{"name": name.hex(), "ino": ino, "type": kind} for name, ino, kind in found]


def seek_in_listing(path, seed):
    """Goes back to places that telldir gave, in random order; what follows must be what followed the first time."""
    listing = Listing(path)
    seen, places = [], []
    while True:
        place = libc.telldir(listing.stream)
        entry = listing.read()
        if entry is None:
            break
        places.append(place)
        seen.append(entry)
    wrong = 0
    for index in random.Random(seed).sample(range(len(seen)), min(len(seen), 60)):
        libc.seekdir(listing.stream, places[index])
        following = [listing.read() for _ in range(min(50, len(seen) - index))]
        wrong += following != seen[index:index + 50]
    libc.seekdir(listing.stream, places[0])
    wrong += listing.rest() != seen
    listing.close()
    return {"entries": len(seen), "wrong": wrong}


def in_threads(count, action):
    """What `action` gives in each of so many threads."""
    results = [None] * count

    def run(number):
        try:
            results[number] = action(number)
        except OSError as error:
            results[number] = errno.errorcode[error.errno]
    threads = [threading.Thread(target=run, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def in_processes(processes, threads, action):
    """The distinct things that `action` gives in so many processes of so many threads each."""
    children = []
    for process in range(processes):
        source, sink = os.pipe()
        child = os.fork()
        if child == 0:
            results = in_threads(threads, lambda thread: action(process * threads + thread))
            with os.fdopen(sink, "w") as out:
                json.dump(results, out)
            os._exit(0)
        os.close(sink)
        children.append((child, source))
    found = []
    for child, source in children:
        with os.fdopen(source) as results:
            found += json.load(results)
        os.waitpid(child, 0)
    return [json.loads(text) for text in sorted({json.dumps(each, sort_keys=True) for each in found})]


def listing_sum(path):
    listing = Listing(path)
    names = sorted(name for name, _, _ in listing.rest())
    listing.close()
    return {"entries": len(names), "distinct": len(set(names)), "sha1": hashlib.sha1(b"\n".join(names)).hexdigest()}


def crowd_of_listers(path):
    """Listers and seekers of one directory at once."""
    return in_processes(4, 3, lambda number: seek_in_listing(path, number) if number % 3 == 2 else listing_sum(path))


def crowd_of_readers(directory, names, processes, threads):
    """All files, each reader in an order of its own: the SHA-1 of the concatenation by name."""
    def read(number):
        order = list(names)
        random.Random(number).shuffle(order)
        contents = {}
        for name in order:
            with open(os.path.join(directory, name.encode()), "rb") as file:
                contents[name] = file.read()
        return hashlib.sha1(b"".join(contents[name] for name in names)).hexdigest()
    return in_processes(processes, threads, read)


def as_user(uid, gid, request):
    """Another request as somebody else; for root."""
    child_input, child_output = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        with os.fdopen(child_output, "w") as out:
            json.dump(answer(request), out)
        os._exit(0)
    os.close(child_output)
    with os.fdopen(child_input) as result:
        text = result.read()
    os.waitpid(child, 0)
    return json.loads(text)


def statfs(path):
    found = os.statvfs(path)
    return {key: getattr(found, "f_" + key) for key in ["bsize", "frsize", "blocks", "bfree", "bavail", "files", "ffree", "namemax"]}


path_calls = {
    "lstat": lstat, "names": lambda path: sorted(name.hex() for name in [b".", b".."] + os.listdir(path)), "readlink": lambda path: os.readlink(path).hex(), "open": open_only, "pread": pread, "preads": preads, "lseek": lseek,
    "getxattr": getxattr, "listxattr": listxattr, "mapped": mapped, "execute": execute, "list": list_all, "seek_in_listing": seek_in_listing,
    "crowd_of_listers": crowd_of_listers, "crowd_of_readers": crowd_of_readers, "statfs": statfs,
    "mkdir": os.mkdir, "mkfifo": os.mkfifo, "mknod": lambda path: os.mknod(path, stat.S_IFREG | 0o644), "unlink": os.unlink, "rmdir": os.rmdir,
    "rename": lambda path: os.rename(path, path + b".renamed"), "link": lambda path: os.link(path, path + b".linked", follow_symlinks=False),
    "symlink": lambda path: os.symlink(b"target", path), "chmod": lambda path: os.chmod(path, 0o600),
    "chown": lambda path: os.lchown(path, os.getuid(), os.getgid()), "utime": lambda path: os.utime(path, (0, 0)),
    "truncate": lambda path: os.truncate(path, 0), "setxattr": lambda path, name: os.setxattr(path, name, b"x"), "removexattr": os.removexattr,
    "access_to_write": access_to_write, "chdir": os.chdir, "ioctl": lambda path: with_open(path, os.O_RDONLY, lambda descriptor: fcntl.ioctl(descriptor, 0x80086601, bytes(8))),
}


def answer(request):
    name, *arguments = request
    try:
        if name == "lstats":
            return {"value": lstats(*arguments)}
        if name == "as_user":
            return {"value": as_user(*arguments)}
        path, *rest = arguments
        value = path_calls[name](bytes.fromhex(path), *rest)
        return {} if value is None else {"value": value}
    except OSError as error:
        return {"error": errno.errorcode[error.errno]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps([answer(request) for request in json.load(sys.stdin)]))
