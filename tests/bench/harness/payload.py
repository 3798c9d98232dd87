"""What is sent: one file or many, of random bytes; and whether what arrived is the same and on the disk."""
import ctypes
import filecmp
import os
import shutil
import subprocess

from . import proc

CHUNK = 1 << 20


class Payload:
    """One file `path`, or a directory `path` of `files`."""

    def __init__(self, path, count, size):
        self.path, self.count, self.size = path, count, size
        if count == 1:
            self.files = [path]
        else:
            os.makedirs(path)
            self.files = [os.path.join(path, f"f{i:05}") for i in range(count)]
        for name in self.files:
            _fill(name, size)

    @property
    def bytes(self):
        return self.count * self.size

    def arrived(self, out):
        """Whether `out` holds all of it, unchanged, directly or in a folder of the same name."""
        if self.count == 1:
            copy = os.path.join(out, os.path.basename(self.path))
            return os.path.isfile(copy) and subprocess.run(["cmp", "-s", self.path, copy]).returncode == 0
        folder = os.path.join(out, os.path.basename(self.path))
        folder = folder if os.path.isdir(folder) else out
        names = [os.path.basename(f) for f in self.files]
        return len(filecmp.cmpfiles(self.path, folder, names, shallow=False)[0]) == self.count


def _fill(path, size):
    with open(path, "wb") as f:
        for at in range(0, size, CHUNK):
            f.write(os.urandom(min(CHUNK, size - at)))


def sync(path):
    """Everything of the file system of `path` is on the disk. For one file fsync says the same of it alone."""
    fd = os.open(path, os.O_RDONLY)
    try:
        if proc.LIBC.syncfs(fd) != 0:
            raise OSError(ctypes.get_errno(), "syncfs")
    finally:
        os.close(fd)


def settle(payload, out):
    """The receiver's user can pull the plug now."""
    if payload.count > 1:
        sync(out)
        return
    copy = os.path.join(out, os.path.basename(payload.path))
    if os.path.exists(copy):
        fd = os.open(copy, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)


def empty(out):
    """But for hidden files: a tool's own marks."""
    for name in os.listdir(out):
        if name.startswith("."):
            continue
        path = os.path.join(out, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
