"""Round trips of a message (meshctl ping): on a free path, and beside a transfer that fills the link."""
import time

from .. import payload, proc, report
from ..tools.meshd import Meshd

ROUNDS = 1
TRANSFERS = False
HELP = "message round trips: over veth, and over a link of 100 Mbit/s and 20 ms, free and filled by a transfer"
RATE_BPS = 100_000_000
DELAY_MS = 10
PINGS = 500
LOADED_S = 20
GAP_S = 0.02
RAMP_S = 2  # slow start is over


def run(scope, options):
    seconds = options.seconds or LOADED_S
    samples = {"veth": [], "link, free": [], "link, filled": []}
    goodput = []
    file = payload.Payload(scope.path("file"), 1, int(RATE_BPS / 8 * (seconds + RAMP_S)))
    for _ in range(options.rounds):
        with scope.hosts() as hosts:
            hosts.veth()
            node = _node(scope, hosts)
            samples["veth"] += [node.ping_us() for _ in range(PINGS)]
            node.stop()
        with scope.hosts() as hosts:
            hosts.link(str(RATE_BPS), f"{DELAY_MS}ms")
            node = _node(scope, hosts)
            samples["link, free"] += [node.ping_us() for _ in range(PINGS // 5)]
            loaded, mb_s = _filled(node, file)
            samples["link, filled"] += loaded
            goodput.append(mb_s)
            node.stop()
            link = hosts.link_stats()
    result = {name: {"p50_us": report.quantile(us, 0.5), "p99_us": report.quantile(us, 0.99), "max_us": max(us), "pings": len(us)}
              for name, us in samples.items()}
    base = 2 * DELAY_MS * 1000
    rows = [[name, r["p50_us"], r["p99_us"], r["max_us"], r["p99_us"] - base if name != "veth" else None, r["pings"]]
            for name, r in result.items()]
    report.table(f"latency of a message; the link: {RATE_BPS // 1_000_000} Mbit/s, {2 * DELAY_MS} ms, buffer 1 BDP",
                 ["", "p50 us", "p99 us", "max us", "p99 above base us", "pings"], rows)
    share = 100 * report.median(goodput) * 8e6 / RATE_BPS
    print(f"  the transfer beside the pings had {share:.0f} % of the link")
    return {"base_us": base, "round_trips": result, "transfer_share_percent": share, "linkem": link}


def _node(scope, hosts):
    node = Meshd(scope, hosts, scope.fresh("out"))
    node.start()
    for _ in range(20):
        node.ping_us()
    return node


def _filled(node, file):
    """Pings from the side that sends, while it sends; and what the transfer got."""
    payload.empty(node.out)
    begin = time.monotonic()
    sending = node.command(0, node.ctl(0, "send", "b", file.path))
    time.sleep(RAMP_S)
    got = []
    while not sending.done():
        us = node.ping_us()
        if not sending.done():
            got.append(us)
        time.sleep(GAP_S)
    if sending.code != 0 or not got:
        raise proc.Failed(f"the transfer beside the pings failed: {sending.said()}")
    return got, file.bytes / (time.monotonic() - begin) / 1e6
