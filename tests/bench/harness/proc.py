"""Processes by id: started in a namespace, ended with the run, their CPU time and memory counted, children included."""
import ctypes
import os
import select
import shutil
import signal
import subprocess
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_S = 0.1


class Failed(Exception):
    """A tool did not do what it was asked; the text says what it said."""


def _prepare(ns_fd):
    def child():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if ns_fd is not None and LIBC.setns(ns_fd, CLONE_NEWNET) != 0:
            os._exit(127)

    return child


class Proc:
    def __init__(self, argv, ns_fd=None, log=None, env=None, cwd=None, says=None):
        """`says` is what its standard input holds."""
        self.argv = argv
        self.log = log
        with open(log, "ab") if log else open(os.devnull, "wb") as out:
            self.popen = subprocess.Popen(argv, stdin=subprocess.PIPE if says else subprocess.DEVNULL, stdout=out, stderr=out,
                                          env=env, cwd=cwd, start_new_session=True, preexec_fn=_prepare(ns_fd))
        if says:
            self.popen.stdin.write(says)
            self.popen.stdin.close()
        self.pid = self.popen.pid
        self.pidfd = os.pidfd_open(self.pid)
        self.code = None
        self.final_cpu_s = 0.0
        self.peak_kib = 0

    def _reap(self, block):
        if self.code is None:
            pid, status, usage = os.wait4(self.pid, 0 if block else os.WNOHANG)
            if pid:
                self.code = self.popen.returncode = os.waitstatus_to_exitcode(status)
                self.final_cpu_s = usage.ru_utime + usage.ru_stime
                os.close(self.pidfd)
        return self.code

    def done(self):
        return self._reap(False) is not None

    def cpu_s(self):
        """So far, of the process and all its children, dead or alive."""
        return self.final_cpu_s if self.done() else sum(_cpu_s(pid) for pid in tree(self.pid))

    def sample(self):
        if self.code is None:
            self.peak_kib = max([self.peak_kib] + [_peak_kib(pid) for pid in tree(self.pid)])

    def stop(self, number=signal.SIGTERM, patience_s=5):
        if self.done():
            return
        children = [(pid, _born(pid)) for pid in tree(self.pid)[1:]]
        os.kill(self.pid, number)
        if not select.select([self.pidfd], [], [], patience_s)[0]:
            os.kill(self.pid, signal.SIGKILL)
        self._reap(True)
        for pid, born in children:
            if born and _born(pid) == born:  # it outlived its parent, and the number is still its own
                os.kill(pid, signal.SIGKILL)

    def said(self):
        if not self.log or not os.path.exists(self.log):
            return ""
        with open(self.log, errors="replace") as f:
            return f.read()[-600:].strip()


def _stat(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()
    except OSError:
        return None


def _born(pid):
    s = _stat(pid)
    return s[19] if s else None


def _cpu_s(pid):
    s = _stat(pid)
    return sum(int(x) for x in s[11:15]) / TICKS if s else 0.0


def _peak_kib(pid):
    try:
        with open(f"/proc/{pid}/status") as f:
            for line in f:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def field(pid, name):
    """A number of /proc/PID/status; of PID/task/TID too."""
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(name + ":"))


def tree(pid):
    """The process and its living descendants."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (s := _stat(name)):
            parents.setdefault(int(s[1]), []).append(int(name))
    found = [pid]
    for p in found:
        found += parents.get(p, [])
    return found


def wait(procs, watched=(), timeout_s=3600):
    """Until all have ended, or one badly. Meanwhile the memory of these and of the watched ones is sampled."""
    end = time.monotonic() + timeout_s
    while open_ones := [p for p in procs if not p.done()]:
        if any(p.code for p in procs):
            break  # the others would wait for it forever
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        ready = select.select([p.pidfd for p in open_ones], [], [], min(left, SAMPLE_S))[0]
        if not ready:
            for p in (*open_ones, *watched):
                p.sample()


def until_sampling(condition, watched, timeout_s, step_s=0.01):
    """As wait(), for something that is not the end of a process."""
    begin = sampled = time.monotonic()
    while not condition():
        now = time.monotonic()
        if now - begin > timeout_s:
            raise TimeoutError
        if now - sampled > SAMPLE_S:
            sampled = now
            for p in watched:
                p.sample()
        time.sleep(step_s)


def until(what, condition, timeout_s=30, step_s=0.02):
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"{what} did not happen within {timeout_s} s")
        time.sleep(step_s)


def which(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")


def output(argv, ns_fd=None, timeout_s=60, env=None, stdin=None):
    """What a short command prints; Failed with its own words when it fails."""
    r = subprocess.run(argv, input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL, capture_output=True,
                       text=True, timeout=timeout_s, env=env, preexec_fn=_prepare(ns_fd))
    if r.returncode != 0:
        raise Failed(f"{' '.join(argv[:6])}: {(r.stderr or r.stdout).strip()[-400:]}")
    return r.stdout
