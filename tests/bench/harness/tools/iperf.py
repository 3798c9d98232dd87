"""iperf3: what kernel TCP gets through, for comparison: nothing is read, written, encrypted or verified."""
import json
import os

from .. import proc
from .base import Tool


class Iperf(Tool):
    name = "iperf3"

    @classmethod
    def missing(cls, build):
        return None if proc.which("iperf3") else "iperf3 is not installed"

    @classmethod
    def version(cls, build):
        return proc.output(["iperf3", "--version"]).splitlines()[0]

    def prepare(self, payload):
        self.stop()
        self.standing = ([], [])
        self.stand(1, ["iperf3", "-s"], "iperf3-server")
        proc.until("iperf3", lambda: self.hosts.b.output(["ss", "-Hltn", "sport = 5201"]))

    def send(self, payload, timeout_s):
        self.finish(self.command(0, ["iperf3", "-c", self.hosts.b.addr, "-n", str(payload.bytes)]), timeout_s=timeout_s)
        # Nothing arrives as a file; the payload stands in for it.
        os.link(payload.path, os.path.join(self.out, os.path.basename(payload.path)))
