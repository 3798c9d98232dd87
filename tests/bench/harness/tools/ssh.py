"""rsync over ssh, sftp, scp: one sshd of our own at b for each tool, aes128-gcm (faster here than ssh's default)."""
import os

from .. import proc
from .base import Tool

CIPHER = "aes128-gcm@openssh.com"


class Ssh(Tool):
    needs = ()
    port = 2222

    @classmethod
    def missing(cls, build):
        for name in ("sshd", "ssh", "ssh-keygen", *cls.needs):
            if not proc.which(name):
                return f"{name} is not installed"
        return None

    @classmethod
    def version(cls, build):
        return proc.output(["sh", "-c", "ssh -V 2>&1"]).strip()

    def start(self):
        os.makedirs("/run/sshd", exist_ok=True)  # where sshd of Debian wants to separate privileges
        home = self.scope.fresh(self.name)
        for name in ("host", "user"):
            proc.output(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{home}/{name}"])
        with open(f"{home}/config", "w") as f:
            f.write(f"HostKey {home}/host\nAuthorizedKeysFile {home}/user.pub\nPort {self.port}\nPidFile none\nStrictModes no\n"
                    "PermitRootLogin yes\nUsePAM no\nSubsystem sftp internal-sftp\n")
        self.stand(1, [proc.which("sshd"), "-D", "-f", f"{home}/config"], f"{self.name}-sshd")
        proc.until("sshd", lambda: self.hosts.b.output(["ss", "-Hltn", f"sport = {self.port}"]))
        self.options = ["-i", f"{home}/user", "-c", CIPHER, "-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null",
                        "-oLogLevel=ERROR", "-oBatchMode=yes"]
        self.to = f"root@{self.hosts.b.addr}"


class Rsync(Ssh):
    name, needs, port = "rsync", ("rsync",), 2221

    @classmethod
    def version(cls, build):
        return proc.output(["rsync", "--version"]).splitlines()[0] + ", " + super().version(build)

    def send(self, payload, timeout_s):
        shell = " ".join(["ssh", *self.options, "-p", str(self.port)])
        argv = ["rsync", "--whole-file", "-r", "-e", shell, payload.path, f"{self.to}:{self.out}/"]
        self.finish(self.command(0, argv), timeout_s=timeout_s)


class Sftp(Ssh):
    name, needs, port = "sftp", ("sftp",), 2222

    def send(self, payload, timeout_s):
        batch = self.scope.path("sftp-batch")
        with open(batch, "w") as f:
            f.write(f"put -r {payload.path} {self.out}/\n" if payload.count > 1 else f"put {payload.path} {self.out}/\n")
        argv = ["sftp", "-q", "-b", batch, *self.options, "-P", str(self.port), self.to]
        self.finish(self.command(0, argv), timeout_s=timeout_s)


class Scp(Ssh):
    name, needs, port = "scp", ("scp",), 2223

    def send(self, payload, timeout_s):
        argv = ["scp", "-q", "-r", *self.options, "-P", str(self.port), payload.path, f"{self.to}:{self.out}/"]
        self.finish(self.command(0, argv), timeout_s=timeout_s)
