"""Two contacts with a session and nothing to do: no packet, no wake-up, no CPU time; and the memory of a fresh daemon."""
import os
import time

from .. import proc, report
from ..tools.meshd import Meshd

ROUNDS = 1
TRANSFERS = False
HELP = "packets, wake-ups, CPU time and memory of daemons that have nothing to do, over 60 s"
SECONDS = 60
FRESH_S = 3
SETTLE_S = 12  # transports are detached after 2 s, lost peers watched for 5; ARP is done


def run(scope, options):
    seconds = options.seconds or SECONDS
    with scope.hosts() as hosts:
        hosts.veth()
        node = Meshd(scope, hosts, None)
        node.start()
        time.sleep(FRESH_S)
        fresh = [proc.field(d.pid, "VmRSS") for d in node.daemons]
        node.ask(0, "msg", "b", "hello")
        time.sleep(SETTLE_S)
        before = _look(hosts, node)
        time.sleep(seconds)
        after = _look(hosts, node)
        rss = [proc.field(d.pid, "VmRSS") for d in node.daemons]
        node.ping_us()  # the session is still there
        node.stop()
    result = {"seconds": seconds, "packets": after["packets"] - before["packets"],
              "wakeups": [after["wakeups"][i] - before["wakeups"][i] for i in (0, 1)],
              "cpu_s": [after["cpu_s"][i] - before["cpu_s"][i] for i in (0, 1)],
              "rss_kib": {"fresh": fresh, "after": rss}}
    rows = [["ab"[i], result["packets"], result["wakeups"][i], result["cpu_s"][i], fresh[i] / 1024, rss[i] / 1024] for i in (0, 1)]
    report.table(f"idle: {seconds:.0f} s", ["", "packets", "wake-ups", "CPU s", "fresh RSS MiB", "RSS MiB"], rows)
    return result


def _look(hosts, node):
    received, sent, _ = hosts.a.packets(hosts.dev)
    return {"packets": received + sent, "wakeups": [_wakeups(d.pid) for d in node.daemons], "cpu_s": [d.cpu_s() for d in node.daemons]}


def _wakeups(pid):
    """Who sleeps again has been awake: voluntary switches of all threads."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        total += proc.field(f"{pid}/task/{task}", "voluntary_ctxt_switches")
        total += proc.field(f"{pid}/task/{task}", "nonvoluntary_ctxt_switches")
    return total
