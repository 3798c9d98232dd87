"""Medians, ratios, a table for the eye and JSON for the record."""
import json
import os
import platform
import statistics
import sys


def median(values):
    return statistics.median(values) if values else None


def quantile(values, q):
    """The nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, int(q * len(ordered) + 0.999999) - 1))]


def show(value):
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return str(value)


def table(title, heads, rows):
    """Prints; the first column is text, the others numbers."""
    cells = [heads] + [[show(c) for c in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    print(f"\n{title}")
    for row in cells:
        print("  " + "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip())
    sys.stdout.flush()


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _cpu_model():
    with open("/proc/cpuinfo") as f:
        return next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), "?")


def steal_s():
    """What the host took from this machine, of all cores."""
    with open("/proc/stat") as f:
        return int(f.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


def machine():
    return {"kernel": platform.release(), "cpu": _cpu_model(), "cores": len(os.sched_getaffinity(0)),
            "load_at_start": os.getloadavg()[0]}


def write(path, result):
    text = json.dumps(result, indent=1) + "\n"
    if path == "-":
        sys.__stdout__.write(text)
        return
    with open(path, "w") as f:
        f.write(text)
