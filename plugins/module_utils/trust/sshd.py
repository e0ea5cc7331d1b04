# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A host's sshd: which one it is, what it makes of its configuration, and how it is told to read it again."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from .errors import TrustError
from .keywords import parse_version

# A user that no host has: what sshd says about it is what the site has set for everybody.
NOBODY = "slipway-nobody"
_PROGRAMS = ("/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd", "/usr/bin/sshd")
_SERVICES = ("ssh.service", "sshd.service")
_SOCKETS = ("ssh.socket", "sshd.socket")
_NO_FOLDER = re.compile(r"Missing privilege separation directory: (\S+)")


def run(command: Sequence[str]) -> tuple[int, str, str]:
    """A program's exit status and what it wrote."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**os.environ, "LC_ALL": "C"},
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        return 127, "", str(exc)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


@dataclass(frozen=True)
class Way:
    """How the controller comes in, for rules that name addresses: from where, and to which address and port."""

    address: str = "127.0.0.1"
    local_address: str = "127.0.0.1"
    local_port: int = 22

    @staticmethod
    def of(connection: str) -> Way:
        """From ``SSH_CONNECTION``: client's address and port, server's address and port. Empty: this machine itself."""
        words = connection.split()
        return Way(words[0], words[2], int(words[3])) if len(words) == 4 else Way()


@dataclass(frozen=True)
class Sshd:
    """``program`` and ``config`` are paths; ``config`` is the main file, followed to where it really is."""

    program: str
    config: str
    version: tuple[int, int]

    @staticmethod
    def find(program: str, config: str) -> Sshd:
        """Raises ``TrustError`` SLW-7301 where there is no sshd of OpenSSH, or no configuration."""
        found = program or next((p for p in _PROGRAMS if os.access(p, os.X_OK)), "") or shutil.which("sshd") or ""
        if not os.access(found, os.X_OK):
            raise TrustError("SLW-7301", "there is no sshd on this host", "set ssh_trust_sshd to its path")
        if not Path(config).is_file():
            raise TrustError("SLW-7301", f"{config} does not exist", "set ssh_trust_config to the main file of sshd")
        # Releases before 9.3 do not know -V: they say what they are all the same, and end with an error.
        _status, out, err = run([found, "-V"])
        return Sshd(found, str(Path(config).resolve()), parse_version(err + out))

    def complaints(self) -> str:
        """What ``sshd -t`` has to say against the configuration on disk; nothing when it is good."""
        status, out, err = run([self.program, "-t", "-f", self.config])
        missing = _NO_FOLDER.search(err)
        if status and missing:
            # With socket activation the folder exists only while a connection does.
            Path(missing.group(1)).mkdir(mode=0o755, parents=True, exist_ok=True)
            status, out, err = run([self.program, "-t", "-f", self.config])
        return (err + out).strip() or f"exit status {status}" if status else ""

    def effective(self, user: str, way: Way) -> dict[str, list[str]]:
        """What holds for a login of ``user`` on this way: keyword in lower case → its values.

        Raises ``TrustError`` SLW-7303 where sshd cannot tell, which is a configuration that it would not take either.
        """
        # All of it: sshd refuses to say anything where a Match asks for what it was not told.
        asked = f"user={user},host={way.address},addr={way.address},laddr={way.local_address},lport={way.local_port}"
        status, out, err = run([self.program, "-T", "-f", self.config, "-C", asked])
        if status:
            raise TrustError("SLW-7303", f"sshd does not accept the configuration: {(err or out).strip()}")
        found: dict[str, list[str]] = {}
        for line in out.splitlines():
            keyword, _space, value = line.strip().partition(" ")
            found.setdefault(keyword.lower(), []).append(value.strip())
        return found


@dataclass(frozen=True)
class Reload:
    """How a running sshd is told: ``command`` for a shell, empty where none runs between connections."""

    command: str
    pid_file: str = ""

    @staticmethod
    def find(pid_file: str, given: str = "") -> Reload:
        """``pid_file`` is what the configuration names. Raises ``TrustError`` SLW-7310."""
        if given:
            return Reload(given, pid_file)
        if Path("/run/systemd/system").is_dir():
            active = [unit for unit in (*_SERVICES, *_SOCKETS) if run(["systemctl", "is-active", "-q", unit])[0] == 0]
            service = next((unit for unit in active if unit in _SERVICES), None)
            if service:
                return Reload(f"systemctl reload {service}", pid_file)
            if active:
                # Started for each connection by its socket: the next one reads the new files.
                return Reload("")
        if pid_file not in ("", "none") and _alive(pid_file):
            return Reload(f'kill -HUP "$(cat {shlex.quote(pid_file)})"', pid_file)
        raise TrustError(
            "SLW-7310",
            "it is not known how this host's sshd is told to read its configuration again",
            "set ssh_trust_reload to the command that does it",
        )

    def __call__(self) -> None:
        """Tells it, and waits until it has begun anew. Raises ``TrustError`` SLW-7310."""
        if not self.command:
            return
        before = _stamp(self.pid_file)
        status, out, err = run(["/bin/sh", "-c", self.command])
        if status:
            raise TrustError("SLW-7310", f"{self.command} failed: {(err or out).strip()}")
        # sshd removes the file when it gets the signal and writes it when it listens again. Without one, the attempts
        # of the login that follows are the wait.
        for _turn in range(50):
            if before is None or _stamp(self.pid_file) not in (before, None):
                return
            time.sleep(0.1)


def _alive(pid_file: str) -> bool:
    try:
        os.kill(int(Path(pid_file).read_text(encoding="ascii").strip()), 0)
    except (OSError, ValueError):
        return False
    return True


def _stamp(pid_file: str) -> Optional[tuple[int, int]]:
    try:
        status = Path(pid_file).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
