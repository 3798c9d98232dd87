"""Two hosts: network namespaces, joined by veth (as fast as the machine) or by linkem (a rate, a delay, a buffer, loss)."""
import json
import os
import signal
import subprocess

from . import proc

VETH = ("10.77.0.1", "10.77.0.2")
LINK = ("10.78.0.1", "10.78.0.2")
BETWEEN = (("10.79.1.2", "10.79.1.1"), ("10.79.2.2", "10.79.2.1"))  # a and b, with the address of r towards each


def ip(*words):
    proc.output(["ip", *words])


def remove(name):
    """The namespace and what still runs in it (only what a run of ours started can)."""
    pids = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True).stdout.split()
    for pid in pids:
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass
    subprocess.run(["ip", "netns", "del", name], capture_output=True)


class Host:
    def __init__(self, name):
        self.name = name
        self.addr = None
        self.fd = None

    def open(self):
        ip("netns", "add", self.name)
        self.fd = os.open(f"/run/netns/{self.name}", os.O_RDONLY | os.O_CLOEXEC)
        ip("-n", self.name, "link", "set", "lo", "up")
        # A silent network: nobody looks for IPv6 routers in it.
        self.sysctl("net.ipv6.conf.default.router_solicitations", "0")

    def close(self):
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None
        remove(self.name)

    def output(self, argv, **more):
        return proc.output(argv, self.fd, **more)

    def sysctl(self, name, value):
        self.output(["sysctl", "-q", "-w", f"{name}={value}"])

    def packets(self, dev):
        """(received packets, sent packets, received bytes) of a device."""
        s = json.loads(self.output(["ip", "-j", "-s", "link", "show", "dev", dev]))[0]["stats64"]
        return s["rx"]["packets"], s["tx"]["packets"], s["rx"]["bytes"]


class Hosts:
    def __init__(self, scope, prefix):
        self.scope = scope
        self.a, self.b = Host(prefix + "a"), Host(prefix + "b")
        self.dev = None
        self.linkem = self.stats = None

    def __enter__(self):
        try:
            self.a.open()
            self.b.open()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.linkem:
            self.linkem.stop()
        self.a.close()
        self.b.close()

    def veth(self):
        self.dev = "eth0"
        ip("link", "add", "eth0", "netns", self.a.name, "type", "veth", "peer", "name", "eth0", "netns", self.b.name)
        for host, addr in zip((self.a, self.b), VETH):
            host.addr = addr
            ip("-n", host.name, "addr", "add", addr + "/24", "dev", "eth0")
            ip("-n", host.name, "link", "set", "eth0", "up")
        # The kernel says up to a second later that it runs; who asks for the host's addresses before gets none.
        proc.until("the veth's carrier", lambda: all("LOWER_UP" in (s := h.output(["ip", "-o", "link", "show", "eth0"]))
                                                     and "state UP" in s for h in (self.a, self.b)))
        return self

    def link(self, rate, delay, loss="0%", buffer="1bdp", seed=1):
        self.dev = "link0"
        self.a.addr, self.b.addr = LINK
        self.stats = self.scope.path("linkem", self.a.name)
        log = self.stats + ".log"
        self.linkem = self.scope.start(
            [os.path.join(self.scope.build, "tests/linkem"), "--ns", self.a.name, self.b.name, "--addr", LINK[0] + "/24",
             LINK[1] + "/24", "--rate", rate, "--delay", delay, "--loss", loss, "--buffer", buffer, "--seed", str(seed),
             "--stats", self.stats], log=log)
        proc.until("linkem", lambda: "ready" in self.linkem.said() or self.linkem.done())
        if self.linkem.done():
            raise proc.Failed(self.linkem.said())
        return self

    def congestion_control(self, name):
        """Of new TCP connections. By the route: the sysctl takes in a namespace only what the whole machine allows everybody."""
        for host in (self.a, self.b):
            net = host.addr.rpartition(".")[0] + ".0/24"
            ip("-n", host.name, "route", "replace", net, "dev", self.dev, "proto", "kernel", "scope", "link", "src", host.addr,
               "congctl", name)

    def link_stats(self):
        """Ends the link and says what it did."""
        self.linkem.stop()
        with open(self.stats) as f:
            return json.load(f)


class Between:
    """Three hosts: r stands between a and b, which reach each other through its kernel, too."""

    def __init__(self, prefix):
        self.a, self.r, self.b = Host(prefix + "a"), Host(prefix + "r"), Host(prefix + "b")

    def __enter__(self):
        try:
            for host in (self.r, self.a, self.b):
                host.open()
            self._join()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for host in (self.a, self.b, self.r):
            host.close()

    def _join(self):
        self.r.addr = [towards for _, towards in BETWEEN]
        for dev, host, (addr, towards) in zip(("eth0", "eth1"), (self.a, self.b), BETWEEN):
            ip("link", "add", "eth0", "netns", host.name, "type", "veth", "peer", "name", dev, "netns", self.r.name)
            host.addr = addr
            for last in range(2, 10):  # a relay lets only so many in from one address
                ip("-n", host.name, "addr", "add", addr.rpartition(".")[0] + f".{last}/24", "dev", "eth0")
            ip("-n", self.r.name, "addr", "add", towards + "/24", "dev", dev)
            ip("-n", host.name, "link", "set", "eth0", "up")
            ip("-n", self.r.name, "link", "set", dev, "up")
            ip("-n", host.name, "route", "add", "default", "via", towards)
        self.r.sysctl("net.ipv4.ip_forward", "1")
        proc.until("the veths' carrier", lambda: all("state UP" in h.output(["ip", "-o", "link", "show", "eth0"]) for h in (self.a, self.b)))
