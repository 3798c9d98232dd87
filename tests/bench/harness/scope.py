"""What a run owns: processes, namespaces, a directory. All of it goes when the run ends, also by an error or a signal."""
import contextlib
import os
import re
import shutil
import signal
import sys
import tempfile

from . import hosts, proc

PREFIX = "mb"


class Scope(contextlib.ExitStack):
    """with Scope(build) as s: s.dir, s.start(...), s.run(...), s.hosts(...). Things end in the reverse order of their start."""

    def __init__(self, build, parent=None):
        super().__init__()
        self.build = build
        self.parent = parent
        self.serial = 0

    def __enter__(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda n, _: sys.exit(128 + n))
        sweep()
        self.dir = tempfile.mkdtemp(prefix="meshd-bench.", dir=self.parent)
        self.callback(shutil.rmtree, self.dir, ignore_errors=True)
        return super().__enter__()

    def __exit__(self, *details):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # the end is not interrupted
        return super().__exit__(*details)

    def path(self, *names):
        path = os.path.join(self.dir, *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def folder(self, *names):
        path = os.path.join(self.dir, *names)
        os.makedirs(path, exist_ok=True)
        return path

    def fresh(self, name):
        """A new folder."""
        return tempfile.mkdtemp(prefix=name + ".", dir=self.dir)

    def hosts(self):
        """Two fresh hosts, not yet joined: for a with statement."""
        self.serial += 1
        return hosts.Hosts(self, f"{PREFIX}{os.getpid()}-{self.serial}")

    def between(self):
        """Two fresh hosts with a third between them: for a with statement."""
        self.serial += 1
        return hosts.Between(f"{PREFIX}{os.getpid()}-{self.serial}")

    def start(self, argv, host=None, log=None, **more):
        """A process that runs until it is stopped, in a host's namespace."""
        p = proc.Proc(argv, host.fd if host else None, log or self.path("logs", os.path.basename(argv[0])), **more)
        self.callback(p.stop)
        return p


def sweep():
    """Namespaces of runs that were killed before they could remove them: their process is gone, and nobody else uses such names."""
    for name in os.listdir("/run/netns") if os.path.isdir("/run/netns") else []:
        m = re.fullmatch(PREFIX + r"(\d+)-\d+[abr]", name)
        if m and not os.path.exists(f"/proc/{m.group(1)}"):
            hosts.remove(name)
