"""The tools that a user would pick, in the order of the tables."""
from .. import report
from .meshd import Meshd
from .ssh import Rsync, Scp, Sftp
from .syncthing import Syncthing
from .toxcore import Toxcore
from .wormhole import MagicWormhole, WormholeWilliam

ALL = [Meshd, Rsync, Sftp, Scp, MagicWormhole, WormholeWilliam, Syncthing, Toxcore]


def chosen(options):
    """Those asked for, or all, that can run here; the others are named once."""
    kinds = [k for k in ALL if not options.tools or k.name in options.tools]
    for k in kinds:
        why = k.missing(options.build)
        if why and k not in _told:
            _told.add(k)
            report.note(f"without {k.name}: {why}")
    return [k for k in kinds if k not in _told]


_told = set()


def versions(options):
    found = {}
    for k in chosen(options):
        try:
            found[k.name] = k.version(options.build)
        except Exception as e:  # a version that cannot be told is no reason not to measure
            found[k.name] = f"? ({e})"
    return found
