"""Mounts as Apptainer does and hands the session over: on-descriptor.py DIR MOUNT-DATA COMMAND... (with /dev/fuse as descriptor 3)

MOUNT-DATA is appended to fd=3,rootmode=..; "none" mounts nothing.
"""

import ctypes
import os
import sys

MS_NOSUID, MS_NODEV = 2, 4

directory, data, command = sys.argv[1], sys.argv[2], sys.argv[3:]
device = os.open("/dev/fuse", os.O_RDWR)
if device != 3:
    os.dup2(device, 3)
    os.close(device)
os.set_inheritable(3, True)
if data != "none":
    options = f"fd=3,rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}{data}"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"image", os.fsencode(directory), b"fuse.shoal", MS_NOSUID | MS_NODEV, options.encode()) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
os.execvp(command[0], command)
