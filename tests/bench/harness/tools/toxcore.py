"""toxcore by a plain sender and receiver of our own (toxfile.c): it has a library, but no command that sends a file. One file at a time."""
import os

from .. import proc
from .base import Tool


class Toxcore(Tool):
    name = "toxcore"
    tcp = False
    many = False

    @classmethod
    def missing(cls, build):
        there = os.path.exists(os.path.join(build, "tests/bench_toxfile"))
        return None if there else "not built without libtoxcore-dev"

    @classmethod
    def version(cls, build):
        return proc.output(["dpkg-query", "-W", "-f", "${Package} ${Version}", "libtoxcore-dev"])

    def start(self):
        self.dir = self.scope.fresh("tox")
        program = os.path.join(self.scope.build, "tests/bench_toxfile")
        hosts = (self.hosts.a, self.hosts.b)
        for side, (me, other) in enumerate(("ab", "ba")):
            self.stand(side, [program, me, other, hosts[1 - side].addr, self.dir, self.out], f"tox-{side}")
        proc.until("toxcore's connection", lambda: os.path.exists(f"{self.dir}/a.online"), 60, 0.1)

    def send(self, payload, timeout_s):
        with open(f"{self.dir}/order", "w") as f:
            f.write(payload.path)
        os.rename(f"{self.dir}/order", f"{self.dir}/a.send")
        there = os.path.join(self.out, os.path.basename(payload.path))
        proc.until_sampling(lambda: os.path.exists(there), self.standing[0] + self.standing[1], timeout_s)
