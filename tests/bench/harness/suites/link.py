"""A file over a bad link: the share of the link that each tool gets out of it, from the command to the verified file."""
from .. import payload, proc, report, tools, transfer
from ..tools.iperf import Iperf

RATE_BPS = 200_000_000
LINKS = [("50 ms, 0 %", "25ms", "0%"), ("50 ms, 1 %", "25ms", "1%"), ("100 ms, 0.1 %", "50ms", "0.1%")]
SIZE = 150 << 20
ROUNDS = 1
TRANSFERS = True
HELP = f"150 MiB over {RATE_BPS // 1_000_000} Mbit/s with delay and loss, TCP with CUBIC and with BBR"


def run(scope, options):
    file = payload.Payload(scope.path("file"), 1, options.size or SIZE)
    warm = payload.Payload(scope.path("warm"), 1, 256 << 10)
    shares = {}
    for seed, (name, delay, loss) in enumerate(LINKS, 1):
        with scope.hosts() as hosts:
            hosts.link(str(RATE_BPS), delay, loss, "1bdp", seed)
            _one_link(scope, options, hosts, name, file, warm, shares)
            shares.setdefault("_link", {})[name] = hosts.link_stats()
    stats = shares.pop("_link")
    heads = ["share of the link, %"] + [link[0] for link in LINKS]
    rows = [[tool] + [_cell(runs.get(link[0], [])) for link in LINKS] for tool, runs in shares.items()]
    report.table(f"link: {file.bytes >> 20} MiB, {RATE_BPS // 1_000_000} Mbit/s, buffer 1 BDP", heads, rows)
    print("  <: cut off after the time limit, counted by what had arrived")
    ways = [s[way] for s in stats.values() for way in ("a_to_b", "b_to_a")]
    late, all_pkts = (sum(w[key] for w in ways) for key in ("late_1ms_pkts", "out_pkts"))
    print(f"  linkem delivered {100 * late / max(1, all_pkts):.2f} % of the packets more than 1 ms late, "
          f"{max(w['late_max_us'] for w in ways) / 1000:.1f} ms at most")
    return {"rate_bps": RATE_BPS, "bytes": file.bytes, "limit_s": options.limit, "share_percent": shares, "linkem": stats}


def _cell(runs):
    if not runs:
        return None
    text = report.show(report.median([r["share"] for r in runs]))
    return "<" + text if any(r["cut"] for r in runs) else text


def _entrants(options):
    """Each tool, TCP ones once for each congestion control: (label, congestion control or None, tool)."""
    for kind in [*tools.chosen(options), Iperf]:
        if options.tools and kind is Iperf and "iperf3" not in options.tools or kind.missing(options.build):
            continue
        for control in ("cubic", "bbr") if kind.tcp else (None,):
            yield f"{kind.name} {control}" if control else kind.name, control, kind


def _one_link(scope, options, hosts, link, file, warm, shares):
    standing = {}  # one of each kind: the congestion control is that of its next connection
    for round_number in range(1, options.rounds + 1):
        for label, control, kind in _entrants(options):
            hosts.congestion_control(control or "cubic")
            tool = standing.pop(kind, None)
            try:
                if not tool:
                    tool = kind(scope, hosts, scope.fresh("out"))
                    _warm(tool, warm)
                run = _one(tool, hosts, file, options.limit)
            except (proc.Failed, TimeoutError) as e:
                tool.stop()
                report.note(f"{label} failed at {link}: {e or 'no end'}")
                continue
            shares.setdefault(label, {}).setdefault(link, []).append(run)
            print(f"{link}  round {round_number}  {label}  {_cell([run])} %  {run['seconds']:.1f} s", flush=True)
            if run["cut"] or tool.restart_each_run:
                tool.stop()
            else:
                standing[kind] = tool
    for tool in standing.values():
        tool.stop()


def _warm(tool, warm):
    tool.start()
    if not isinstance(tool, Iperf):
        transfer.measure(tool, warm, 120)


def _one(tool, hosts, file, limit_s):
    before = hosts.b.packets(hosts.dev)[2]
    try:
        seconds = transfer.measure(tool, file, limit_s).seconds
        return {"share": 100 * file.bytes * 8 / seconds / RATE_BPS, "seconds": seconds, "cut": False}
    except TimeoutError:
        # Headers of IP and TCP or UDP are about 3.5 % of what came; close enough for a tool that is far from done.
        came = (hosts.b.packets(hosts.dev)[2] - before) * 0.965
        return {"share": 100 * came * 8 / limit_s / RATE_BPS, "seconds": limit_s, "cut": True}
