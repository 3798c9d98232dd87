"""What a tool is to a suite."""
from .. import proc


class Tool:
    """start() brings up what stands on both hosts; send() has one payload delivered and returns when the tool says that it is.

    self.standing = (processes at a, processes at b) as long as the tool runs; send() adds what it starts to self.passing.
    """

    name = "?"
    tcp = True  # follows the host's congestion control
    many = True  # sends several files in one go
    restart_each_run = False  # its connections outlive a transfer, and so would their congestion control

    def __init__(self, scope, hosts, out):
        self.scope, self.hosts, self.out = scope, hosts, out
        self.standing = ([], [])
        self.passing = ([], [])

    @classmethod
    def missing(cls, build):
        """Why it cannot run here, or None."""
        return None

    @classmethod
    def version(cls, build):
        return "?"

    def start(self):
        pass

    def prepare(self, payload):
        """Before the clock starts: the receiving side is made ready and `out` is empty."""

    def send(self, payload, timeout_s):
        raise NotImplementedError

    def stop(self):
        for p in self.standing[0] + self.standing[1]:
            p.stop()

    # For subclasses.

    def command(self, side, argv, **more):
        """A process of this one transfer, at host a (0) or b (1)."""
        host = (self.hosts.a, self.hosts.b)[side]
        p = self.scope.start(argv, host, log=self.scope.path("logs", f"{self.name}-{side}"), **more)
        self.passing[side].append(p)
        return p

    def stand(self, side, argv, log, **more):
        host = (self.hosts.a, self.hosts.b)[side]
        p = self.scope.start(argv, host, log=self.scope.path("logs", log), **more)
        self.standing[side].append(p)
        return p

    def finish(self, *procs, timeout_s):
        proc.wait(procs, self.standing[0] + self.standing[1], timeout_s)
        for p in procs:
            if p.code:
                raise proc.Failed(f"{p.argv[0]} ended with {p.code}: {p.said()}")
