"""Relays, one core each: packets a second, CPU time and delay of a packet, fairness between pairs; beside the kernel's own forwarding."""
import json
import os

from .. import proc, relays, report

ROUNDS = 5
TRANSFERS = False
HELP = "packets of 1,200 bytes through meshd as a relay, and through coturn, on one core each"
SECONDS = 1.0
PACKET_BYTES = 1200
# Packets under way, and how many of them are sent in one go: what suits a relay best is tried out first.
WINDOWS = ((64, 16), (256, 16), (1024, 16), (1024, 54), (4096, 54))
ALONE = (256, 1)  # what reaches the relay one by one: there the asker is at its limit, too
LOSS_PERCENT_MAX = 0.5  # more is not what anybody wants to have, however much comes through
RATE_PER_S = 10_000
PAIRS = 50
RACE_PACKETS = 4000
FLOW_CLIENTS, FLOWS_EACH = 160, 63  # on each side
ASKS_ON_CORE = "1"


def run(scope, options):
    seconds = options.seconds or SECONDS
    with scope.between() as hosts:
        standing = _start(scope, options, hosts, seconds)
        rounds = {relay.name: [] for relay in standing}
        for number in range(1, options.rounds + 1):
            for relay in standing:
                rounds[relay.name].append(_round(scope, hosts, relay, seconds))
                print(f"round {number}  {relay.name}  {rounds[relay.name][-1]['kpps']:.0f} kpps", flush=True)
        flows = {relay.name: _flows(scope, hosts, relay) for relay in standing if isinstance(relay, relays.Mesh)}
        for relay in standing:
            relay.stop()
    result = {name: _summary(runs) for name, runs in rounds.items()}
    _show(result)
    for name, f in flows.items():
        print(f"  {name}: {f['flows']} flows of {f['clients']} clients take {(f['rss_kib'][1] - f['rss_kib'][0]) / 1024:.1f} MiB")
    return {"packet_bytes": PACKET_BYTES, "relays": result, "rounds": rounds, "flows": flows}


def _start(scope, options, hosts, seconds):
    standing = []
    for kind in relays.ALL:
        why = None if not options.tools or kind.name in options.tools else "it was not asked for"
        why = why or kind.missing(options.build)
        if why:
            report.note(f"without {kind.name}: {why}")
            continue
        relay = kind(scope, hosts)
        try:
            relay.start()
            tried = {w: _most(scope, hosts, relay, seconds / 2, w) for w in WINDOWS}
        except proc.Failed as e:
            report.note(f"without {kind.name}: {e}")
            relay.stop()
            continue
        relay.window = max(tried, key=lambda w: (tried[w]["loss_percent"] < LOSS_PERCENT_MAX, tried[w]["kpps"]))
        print(f"warm-up  {kind.name}  {relay.window[0]} packets under way, {relay.window[1]} in one go", flush=True)
        standing.append(relay)
    return standing


def _ask(scope, hosts, relay, pairs, *phase):
    return json.loads(proc.output(
        ["taskset", "-c", ASKS_ON_CORE, "chrt", "-f", relays.PRIORITY, os.path.join(scope.build, "tests/bench_through"), relay.kind,
         f"{hosts.a.name}/{hosts.a.addr}", f"{hosts.b.name}/{hosts.b.addr}", relay.address(),
         str(relay.process.pid if relay.process else 0), str(pairs), *map(str, phase)], timeout_s=120))


def _most(scope, hosts, relay, seconds, window):
    found = _ask(scope, hosts, relay, 1, "most", seconds, *window)
    received = max(1, found["received"])
    return {"kpps": found["received"] / found["seconds"] / 1000, "cpu_ns": found["cpu_s"] * 1e9 / received,
            "loss_percent": 100 * (found["sent"] - found["received"]) / max(1, found["sent"])}


def _round(scope, hosts, relay, seconds):
    most = _most(scope, hosts, relay, seconds, relay.window)
    rate = _ask(scope, hosts, relay, 1, "rate", seconds, RATE_PER_S)
    race = _ask(scope, hosts, relay, PAIRS, "race", RACE_PACKETS, 32, 16)
    alone = _most(scope, hosts, relay, seconds, ALONE)
    return most | {"alone_kpps": alone["kpps"], "alone_cpu_ns": alone["cpu_ns"], "p50_us": rate["p50_us"], "p99_us": rate["p99_us"], "late_lost": rate["sent"] - rate["received"],
                   "last_to_first": race["last_s"] / race["first_s"], "race_s": race["last_s"]}


def _flows(scope, hosts, relay):
    return _ask(scope, hosts, relay, FLOW_CLIENTS, "flows", FLOWS_EACH)


def _summary(runs):
    return {key: report.median([r[key] for r in runs]) for key in runs[0]}


def _show(result):
    direct, ours = result.get("direct", {}), result.get("meshd") or result.get("endpoint") or {}
    rows = [[name, r["kpps"], ours["kpps"] / r["kpps"] if ours else None, r["cpu_ns"], r["loss_percent"], r["alone_kpps"], r["alone_cpu_ns"],
             r["p50_us"] - direct.get("p50_us", 0), r["p99_us"] - direct.get("p99_us", 0), r["last_to_first"]]
            for name, r in result.items()]
    report.table(f"relay: packets of {PACKET_BYTES} bytes, one core; medians; delay at {RATE_PER_S} packets/s above the kernel's forwarding",
                 ["", "kpps", "ours is x", "CPU ns each", "lost %", "one by one kpps", "CPU ns", "p50 +us", "p99 +us", f"last/first of {PAIRS}"], rows)
