"""Who forwards other people's packets: started at the host between two others, on one core of its own."""
import os

from . import proc

CORE, PRIORITY = "0", "1"
PORT = 3478


class Relay:
    name = "?"
    kind = "?"  # of bench_relay

    def __init__(self, scope, hosts):
        self.scope, self.hosts = scope, hosts
        self.process = None

    @classmethod
    def missing(cls, build):
        """Why it cannot run here, or None."""
        return None

    def address(self):
        return f"{self.hosts.r.addr[0]}:{PORT}"

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

    @classmethod
    def missing(cls, build):
        return None if proc.which("turnserver") else "coturn is not installed"

    def start(self):
        toward_a, toward_b = self.hosts.r.addr
        self.run(["turnserver", "-n", "-z", f"--listening-ip={toward_a}", f"--listening-port={PORT}", f"--relay-ip={toward_b}",
                  "--no-tls", "--no-dtls", "--no-tcp", "--no-cli", "-m", "1", "-r", "bench", "-b", self.scope.path("turn", "db"),
                  "--pidfile", self.scope.path("turn", "pid"), f"--log-file={self.scope.path('turn', 'log')}", "--simple-log"])
        proc.until("coturn", lambda: self.process.done() or self.hosts.r.output(["ss", "-Hlun", f"sport = {PORT}"]))
        if self.process.done():
            raise proc.Failed(f"coturn: {self.process.said()}")


ALL = [Direct, Coturn]
