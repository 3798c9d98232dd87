"""Many small files."""
from .. import payload
from . import bulk

COUNT, SIZE = 10_000, 4096
ROUNDS = 3
TRANSFERS = True
HELP = "10,000 files of 4 KiB over veth, from disk to synced disk"


def run(scope, options):
    load = payload.Payload(scope.path("tree"), COUNT, options.size or SIZE)
    return bulk.compare(scope, options, load, f"small: {COUNT:,} files of {load.size} bytes, veth, MTU 1500")
