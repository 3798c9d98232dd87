"""syncthing: a folder that a only sends and b only receives. The clock starts with the rescan at a, and stops when b has renamed
the last file to its name (it syncs before). Only a dials: where both do at the same moment and the link has a delay, each waits for the
other's greeting on its own connection."""
import http.client
import json
import os
import socket

from .. import proc
from .base import Tool

CONFIG = """<configuration version="36">
  <folder id="bench" label="bench" path="{path}" type="{kind}" rescanIntervalS="0" fsWatcherEnabled="false">
    <device id="{ids[0]}"/><device id="{ids[1]}"/>
    <minDiskFree unit="%">0</minDiskFree>
  </folder>
  <device id="{ids[0]}" name="a"><address>dynamic</address></device>
  <device id="{ids[1]}" name="b"><address>tcp://{addrs[1]}:22000</address></device>
  <gui enabled="true" tls="false"><address>{home}/api</address><apikey>bench</apikey></gui>
  <options>
    <listenAddress>tcp://{addrs[{side}]}:22000</listenAddress>
    <globalAnnounceEnabled>false</globalAnnounceEnabled>
    <localAnnounceEnabled>false</localAnnounceEnabled>
    <relaysEnabled>false</relaysEnabled>
    <natEnabled>false</natEnabled>
    <reconnectionIntervalS>1</reconnectionIntervalS>
    <startBrowser>false</startBrowser>
    <urAccepted>-1</urAccepted>
    <autoUpgradeIntervalH>0</autoUpgradeIntervalH>
    <crashReportingEnabled>false</crashReportingEnabled>
    <setLowPriority>false</setLowPriority>
  </options>
</configuration>
"""


class Api(http.client.HTTPConnection):
    """Its interface on a socket in the file system: no namespace has to be entered."""

    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Syncthing(Tool):
    name = "syncthing"
    restart_each_run = True

    @classmethod
    def missing(cls, build):
        return None if proc.which("syncthing") else "syncthing is not installed"

    @classmethod
    def version(cls, build):
        return proc.output(["syncthing", "--version"]).split(" (")[0]

    def start(self):
        self.source = self.scope.fresh("syncthing-source")
        self.homes = [self.scope.fresh("st") for _ in "ab"]
        self.ids = []
        env = os.environ | {"STNOUPGRADE": "1", "STNODEFAULTFOLDER": "1", "HOME": self.homes[0]}
        for home in self.homes:
            proc.output(["syncthing", "generate", f"--home={home}"], env=env)
            self.ids.append(proc.output(["syncthing", "--device-id", f"--home={home}"], env=env).strip())
        for side, (home, path) in enumerate(zip(self.homes, (self.source, self.out))):
            os.mkdir(os.path.join(path, ".stfolder"))
            with open(f"{home}/config.xml", "w") as f:
                f.write(CONFIG.replace("{side}", str(side)).format(
                    path=path, kind=("sendonly", "receiveonly")[side], ids=self.ids, home=home,
                    addrs=(self.hosts.a.addr, self.hosts.b.addr)))
            self.stand(side, ["syncthing", "serve", "--no-browser", "--no-restart", f"--home={home}"], f"syncthing-{side}", env=env)
        proc.until("syncthing's connection", self._connected, 60, 0.1)

    def _connected(self):
        try:
            peers = self.ask(0, "GET", "/rest/system/connections")["connections"]
        except (OSError, http.client.HTTPException):
            return False
        return peers.get(self.ids[1], {}).get("connected", False)

    def ask(self, side, method, path):
        api = Api(f"{self.homes[side]}/api")
        api.request(method, path, headers={"X-API-Key": "bench"})
        answer = api.getresponse()
        text = answer.read()
        api.close()
        if answer.status != 200:
            raise proc.Failed(f"syncthing: {path}: {answer.status} {text[:200]}")
        return json.loads(text) if text.strip() else None

    def prepare(self, payload):
        """What was sent before is gone on both sides, and both know; what is to be sent lies there, not yet looked at."""
        for name in os.listdir(self.source):
            if not name.startswith("."):
                proc.output(["rm", "-r", os.path.join(self.source, name)])
        self.ask(0, "POST", "/rest/db/scan?folder=bench")
        proc.until("deletion", self._empty, 120, 0.2)
        proc.output(["cp", "-rl", payload.path, self.source])

    def _empty(self):
        state = self.ask(1, "GET", "/rest/db/status?folder=bench")
        return state["globalFiles"] == 0 and state["needTotalItems"] == 0 and state["state"] == "idle"

    def send(self, payload, timeout_s):
        api = Api(f"{self.homes[0]}/api")
        api.request("POST", "/rest/db/scan?folder=bench", headers={"X-API-Key": "bench"})
        where = os.path.join(self.out, os.path.basename(payload.path))
        proc.until_sampling(lambda: self._there(where, payload), self.standing[0] + self.standing[1], timeout_s)
        api.close()

    @staticmethod
    def _there(where, payload):
        if payload.count == 1:
            return os.path.exists(where)
        return os.path.isdir(where) and sum(not n.startswith(".") for n in os.listdir(where)) == payload.count
