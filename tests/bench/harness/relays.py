"""Who forwards other people's packets: started at the host between two others, on one core of its own."""
import os

from . import proc

CORE, PRIORITY = "0", "1"


class Relay:
    name = "?"
    kind = "?"  # of bench_through
    port = 0

    def __init__(self, scope, hosts):
        self.scope, self.hosts = scope, hosts
        self.process = None

    @classmethod
    def missing(cls, build):
        """Why it cannot run here, or None."""
        return None

    def address(self):
        return f"{self.hosts.r.addr[0]}:{self.port}"

    def start(self):
        pass

    def stop(self):
        if self.process:
            self.process.stop()

    def run(self, argv):
        """Real-time, as is who asks it: what else runs on the machine takes nothing from either."""
        self.process = self.scope.start(["taskset", "-c", CORE, "chrt", "-f", PRIORITY, *argv], self.hosts.r,
                                        log=self.scope.path("logs", self.name))

    def rss_kib(self):
        return proc.field(self.process.pid, "VmRSS")


class Direct(Relay):
    """No relay: the kernel of the host between forwards. What the others add is added to this."""

    name = kind = "direct"

    def address(self):
        return "-"


class Coturn(Relay):
    name = "coturn"
    kind = "turn"
    port = 3478

    @classmethod
    def missing(cls, build):
        return None if proc.which("turnserver") else "coturn is not installed"

    def start(self):
        toward_a, toward_b = self.hosts.r.addr
        self.run(["turnserver", "-n", "-z", f"--listening-ip={toward_a}", f"--listening-port={self.port}", f"--relay-ip={toward_b}",
                  "--no-tls", "--no-dtls", "--no-tcp", "--no-cli", "-m", "1", "-r", "bench", "-b", self.scope.path("turn", "db"),
                  "--pidfile", self.scope.path("turn", "pid"), f"--log-file={self.scope.path('turn', 'log')}", "--simple-log"])
        proc.until("coturn", lambda: self.process.done() or self.hosts.r.output(["ss", "-Hlun", f"sport = {self.port}"]))
        if self.process.done():
            raise proc.Failed(f"coturn: {self.process.said()}")


class Mesh(Relay):
    """With our own protocol."""

    kind = "mesh"
    id = None

    def address(self):
        return f"{super().address()}#{self.id}"


class Endpoint(Mesh):
    """The endpoint and the UDP edge alone (relayd.c)."""

    name = "endpoint"
    port = 3479

    def start(self):
        self.run([os.path.join(self.scope.build, "tests/bench_relayd"), str(self.port)])
        proc.until("bench_relayd", lambda: self.process.done() or "ready " in self.process.said())
        if self.process.done():
            raise proc.Failed(self.process.said())
        self.id = self.process.said().split("ready ")[1].split()[0]


class Meshd(Mesh):
    """The daemon."""

    name = "meshd"
    port = 3480

    @classmethod
    def missing(cls, build):
        return None if "--serve-relay" in proc.output([os.path.join(build, "meshd"), "--help"]) else "it knows nothing of relays"

    def start(self):
        state = self.scope.fresh("relay")
        socket = os.path.join(state, "control.sock")
        with open(os.path.join(state, "meshd.conf"), "w") as f:
            f.write(LIMITS)
        self.run([os.path.join(self.scope.build, "meshd"), "--state", state, "--config", os.path.join(state, "meshd.conf"), "--listen",
                  f"0.0.0.0:{self.port}", "--serve-relay"])
        proc.until("meshd", lambda: self.process.done() or os.path.exists(socket))
        if self.process.done():
            raise proc.Failed(self.process.said())
        ctl = [os.path.join(self.scope.build, "meshctl"), "--socket", socket]
        proc.output([*ctl, "wait", "--for", "ready", "--timeout", "10s"])
        self.id = proc.output([*ctl, "id"]).strip()


# What would end the measurement: all clients are from two networks, and are as fast as the relay.
LIMITS = "[relay]\ncapacity = 1T\nreservations_per_prefix = 65535\n"

ALL = [Direct, Coturn, Endpoint, Meshd]
