"""The limit of this machine: what its two cores could move if they did nothing but the work that cannot be left out."""
import json
import os

from . import hosts, proc, report

STEPS = ("read", "hash", "seal", "udp", "open", "hash", "write")


def measure(scope, pair):
    argv = [os.path.join(scope.build, "tests/bench_limit"), pair.a.name, pair.b.name, hosts.VETH[1], scope.dir]
    return json.loads(proc.output(argv, timeout_s=120))


def median(runs):
    """CPU nanoseconds per byte of each step, and what follows: cores / their sum."""
    ns = {step: report.median([r["ns_per_byte"][step] for r in runs]) for step in runs[0]["ns_per_byte"]}
    total = sum(ns[step] for step in STEPS)
    return {"ns_per_byte": ns, "suite": runs[0]["suite"], "provider": runs[0]["provider"], "hash": runs[0]["hash"],
            "packet_bytes": runs[0]["packet_bytes"], "cores": 2, "mb_s": 2 * 1000 / total}


def show(found, ours):
    ns = found["ns_per_byte"]
    print(f"\nlimit on {found['cores']} cores: {found['mb_s']:.0f} MB/s" +
          (f"; meshd reaches {100 * ours / found['mb_s']:.0f} % of it" if ours else ""))
    print("  CPU ns per byte: " + ", ".join(f"{step} {ns[step]:.3f}" for step in ns) +
          f" ({found['suite']} by {found['provider']}, {found['hash']} at both ends)")
