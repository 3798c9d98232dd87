"""meshd: two daemons that are contacts; meshctl send on the one, meshctl recv standing on the other."""
import json
import os

from .. import proc
from .base import Tool


class Meshd(Tool):
    name = "meshd"
    tcp = False

    def __init__(self, scope, hosts, out):
        super().__init__(scope, hosts, out)
        self.state = [scope.fresh(side) for side in "ab"]

    @classmethod
    def missing(cls, build):
        return None if os.path.exists(os.path.join(build, "meshd")) else f"no meshd in {build}"

    @classmethod
    def version(cls, build):
        return proc.output([os.path.join(build, "meshd"), "--version"]).strip()

    def ctl(self, side, *words):
        return [os.path.join(self.scope.build, "meshctl"), "--socket", os.path.join(self.state[side], "control.sock"), *words]

    def ask(self, side, *words, **more):
        return proc.output(self.ctl(side, *words), **more)

    def start(self):
        for side in (0, 1):
            self.stand(side, [os.path.join(self.scope.build, "meshd"), "--state", self.state[side]], f"meshd-daemon-{side}")
        self.daemons = [self.standing[0][0], self.standing[1][0]]
        for side in (0, 1):
            proc.until("control socket", lambda: os.path.exists(os.path.join(self.state[side], "control.sock")))
            self.ask(side, "wait", "--for", "ready", "--timeout", "10s")
        ticket = self.ask(1, "ticket", "--name", "a")
        self.ask(0, "contact", "add", "b", "-", stdin=ticket)
        self.ask(0, "wait", "--for", "peer=b", "--timeout", "20s")
        if self.out:
            self.stand(1, self.ctl(1, "recv", "--out", self.out), "meshctl-recv")

    def send(self, payload, timeout_s):
        self.finish(self.command(0, self.ctl(0, "send", "b", *payload.files)), timeout_s=timeout_s)

    def ping_us(self):
        """One round trip of a message, as the daemon saw it."""
        return json.loads(self.ask(0, "--json", "ping", "b", "-c", "1", "--timeout", "10s"))["rtt_us"][0]
