"""One transfer by one tool, measured: seconds from the command to verified data on the receiver's disk, CPU and memory of each side."""
import time

from . import payload as payloads
from . import proc


class Measured:
    def __init__(self, seconds, cpu_s, peak_kib):
        self.seconds, self.cpu_s, self.peak_kib = seconds, cpu_s, peak_kib


def _cpu(tool, side):
    return sum(p.cpu_s() for p in tool.standing[side] + tool.passing[side])


def _peak(tool, side):
    for p in tool.standing[side]:
        p.sample()
    return max((p.peak_kib for p in tool.standing[side] + tool.passing[side]), default=0)


def measure(tool, payload, timeout_s=900):
    """Raises Failed when it does not arrive whole, TimeoutError when it takes too long."""
    payloads.empty(tool.out)
    tool.passing = ([], [])
    tool.prepare(payload)
    payloads.sync(tool.out)
    cpu = [_cpu(tool, side) for side in (0, 1)]
    begin = time.monotonic()
    try:
        tool.send(payload, timeout_s)
        payloads.settle(payload, tool.out)
    finally:
        seconds = time.monotonic() - begin
        for p in tool.passing[0] + tool.passing[1]:
            p.stop()
    cpu = [_cpu(tool, side) - cpu[side] for side in (0, 1)]
    if not payload.arrived(tool.out):
        raise proc.Failed(f"what {tool.name} delivered is not what was sent")
    return Measured(seconds, cpu, [_peak(tool, side) for side in (0, 1)])
