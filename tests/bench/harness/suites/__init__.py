"""name: module with HELP, ROUNDS, TRANSFERS (between tools) and run(scope, options), which prints a table and returns what goes to JSON."""
from . import bulk, idle, latency, link, relay, small

ALL = {"bulk": bulk, "small": small, "link": link, "latency": latency, "idle": idle, "relay": relay}
