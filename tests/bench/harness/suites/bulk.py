"""One large file, and many small ones, from disk to synced disk between two hosts on this machine."""
from .. import limit, payload, proc, report, tools, transfer

SIZE = 1 << 30
ROUNDS = 5
WARM_UP_S = 120
TRANSFERS = True
HELP = "1 GiB over veth, from disk to synced disk; and the limit of this machine, measured in the same run"


def run(scope, options):
    file = payload.Payload(scope.path("file"), 1, options.size or SIZE)
    return compare(scope, options, file, f"bulk: {file.bytes / (1 << 20):.0f} MiB, veth, MTU 1500", True)


def compare(scope, options, load, title, with_limit=False):
    measured, limits = {}, []
    with scope.hosts() as hosts:
        hosts.veth()
        standing = _start(scope, options, hosts, load)
        for round_number in range(1, options.rounds + 1):
            if with_limit:
                limits.append(limit.measure(scope, hosts))
            for tool in list(standing):
                try:
                    m = transfer.measure(tool, load, 2 * WARM_UP_S)
                except (proc.Failed, TimeoutError) as e:
                    report.note(f"{tool.name} failed: {e or 'no end'}")
                    continue
                measured.setdefault(tool.name, []).append(m)
                print(f"round {round_number}  {tool.name}  {load.bytes / m.seconds / 1e6:.0f} MB/s", flush=True)
        for tool in standing:
            tool.stop()
    result = {name: _summary(runs, load) for name, runs in measured.items()}
    _show(title, result)
    if with_limit:
        found = limit.median(limits)
        limit.show(found, result.get("meshd", {}).get("mb_s"))
        return {"bytes": load.bytes, "tools": result, "limit": found}
    return {"files": load.count, "bytes": load.bytes, "tools": result}


def _start(scope, options, hosts, load):
    """One warm-up each; a tool that fails it is out."""
    standing = []
    for kind in tools.chosen(options):
        if load.count > 1 and not kind.many:
            continue
        tool = kind(scope, hosts, scope.fresh("out"))
        try:
            tool.start()
            transfer.measure(tool, load, WARM_UP_S)
            print(f"warm-up  {kind.name}", flush=True)
            standing.append(tool)
        except (proc.Failed, TimeoutError) as e:
            report.note(f"without {kind.name}, the warm-up failed: {e or 'no end'}")
            tool.stop()
    return standing


def _summary(runs, load):
    gib = load.bytes / (1 << 30)
    return {
        "mb_s": report.median([load.bytes / m.seconds / 1e6 for m in runs]),
        "runs_mb_s": [load.bytes / m.seconds / 1e6 for m in runs],
        "seconds": report.median([m.seconds for m in runs]),
        "cpu_s_per_gib": [report.median([m.cpu_s[side] / gib for m in runs]) for side in (0, 1)],
        "peak_rss_mib": [max(m.peak_kib[side] for m in runs) / 1024 for side in (0, 1)],
    }


def _show(title, result):
    ours = result.get("meshd", {}).get("mb_s")
    rows = [[name, r["mb_s"], ours / r["mb_s"] if ours else None, r["seconds"], *r["cpu_s_per_gib"], *r["peak_rss_mib"]]
            for name, r in result.items()]
    report.table(title + "; medians", ["", "MB/s", "meshd is x", "s", "CPU s/GiB send", "receive", "peak RSS MiB send", "receive"], rows)
