"""magic-wormhole and wormhole-william, with a mailbox server of our own at b. The data goes directly from a to b."""
import os

from .. import proc
from .base import Tool

TWIST = "twist3"


class MagicWormhole(Tool):
    name = "magic-wormhole"
    program = "wormhole"
    port = 4000

    @classmethod
    def missing(cls, build):
        if not proc.which(cls.program):
            return f"{cls.program} is not installed"
        if not proc.which(TWIST) or "wormhole-mailbox" not in proc.output([TWIST, "--help"]):
            return "no mailbox server (Debian: python3-magic-wormhole-mailbox-server)"
        return None

    @classmethod
    def version(cls, build):
        return proc.output(["dpkg-query", "-W", "-f", "${Package} ${Version}", cls.name]).strip()

    def start(self):
        self.home = self.scope.fresh(self.name)
        self.serial = 0
        env = os.environ | {"HOME": self.home}
        self.stand(1, [TWIST, "wormhole-mailbox", f"--port=tcp:{self.port}:interface={self.hosts.b.addr}",
                       f"--channel-db={self.home}/mailbox.sqlite"], f"{self.name}-mailbox", env=env)
        proc.until("mailbox server", lambda: self.hosts.b.output(["ss", "-Hltn", f"sport = {self.port}"]))
        self.url = f"ws://{self.hosts.b.addr}:{self.port}/v1"

    def send(self, payload, timeout_s):
        """Both users type at the same time: the code is agreed."""
        self.serial += 1
        code = f"{self.serial}-meshd-bench"
        sender = self.command(0, self.send_argv(payload, code))
        receiver = self.command(1, self.receive_argv(payload, code), cwd=self.out, says=b"y\n")
        self.finish(sender, receiver, timeout_s=timeout_s)

    def send_argv(self, payload, code):
        return ["wormhole", f"--relay-url={self.url}", "--transit-helper=", "send", "--hide-progress", f"--code={code}", payload.path]

    def receive_argv(self, payload, code):
        return ["wormhole", f"--relay-url={self.url}", "--transit-helper=", "receive", "--hide-progress", "--accept-file", code]


class WormholeWilliam(MagicWormhole):
    """It asks the transit relay of the public service first: here that name is one of ours, for it alone."""

    name = program = "wormhole-william"
    port = 4002

    @classmethod
    def missing(cls, build):
        if "transitrelay" not in (proc.output([TWIST, "--help"]) if proc.which(TWIST) else ""):
            return "no transit relay (Debian: magic-wormhole-transit-relay)"
        return super().missing(build)

    def start(self):
        super().start()
        with open(f"{self.home}/hosts", "w") as f:
            f.write(f"127.0.0.1 localhost\n{self.hosts.b.addr} transit.magic-wormhole.io\n")
        self.stand(1, [TWIST, "transitrelay", f"--port=tcp:4001:interface={self.hosts.b.addr}"], f"{self.name}-relay")
        proc.until("transit relay", lambda: self.hosts.b.output(["ss", "-Hltn", "sport = 4001"]))

    def _argv(self, *words):
        script = f'mount --bind {self.home}/hosts /etc/hosts && exec wormhole-william "$@"'
        return ["unshare", "-m", "sh", "-c", script, "sh", words[0], f"--relay-url={self.url}", "--hide-progress", *words[1:]]

    def send_argv(self, payload, code):
        return self._argv("send", f"--code={code}", payload.path)

    def receive_argv(self, payload, code):
        return self._argv("receive", code)
