# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The agent's process: a socket that only its own user may use, and an end that comes with the run's.

Started by ``launch.py`` as a program of its own: settings and secrets come over standard input, never by argument or
environment; one line on standard output says where the socket is.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from .agent import Agent, Conversation
from .errors import SessionError
from .hosts import ENFORCE, HostPolicy
from .identity import Counts, Identity
from .keys import blob_of, line_of
from .provider import Provider
from .providers.table import PROVIDERS
from .wire import LONGEST

SOCKET = "agent"
KNOWN_HOSTS = "known_hosts"
CONTROL = "cp"
"""Folder of the run's own control sockets: a second run never uses a connection of this one."""

_PR_SET_DUMPABLE = 4
_QUIET_FOR = 60.0
_LAST_WORD = 1.0
"""Seconds that everything at the end gets: control masters, the authority, threads."""
_POLL = 0.5


def main() -> int:
    """Serve until the parent is gone, or until SIGTERM."""
    harden()
    config = json.load(sys.stdin)
    ending = _Ending(int(config["pid"]))
    folder = Path(tempfile.mkdtemp(prefix="slipway-", dir=config["base"]))
    try:
        session = Session(config, folder)
    except SessionError as exc:
        shutil.rmtree(folder, ignore_errors=True)
        _say({"error": exc.as_dict()})
        return 1
    _say({"folder": str(folder), "socket": str(folder / SOCKET)})
    _let_go_of_output()
    try:
        session.serve(ending)
    finally:
        session.close()
    return 0


def harden() -> None:
    """No core file, no look into this process by others of the same user, nothing readable by anybody else."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, AttributeError):  # Linux only
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    for ignored in (signal.SIGINT, signal.SIGHUP):
        # Ctrl-C ends the run, which still needs connections for its last words.
        signal.signal(ignored, signal.SIG_IGN)


class Session:
    """Provider, identity and socket of one run."""

    def __init__(self, config: dict[str, Any], folder: Path) -> None:
        self._folder = folder
        self._provider: Provider = PROVIDERS[config["provider"]].create(config["options"], config["secrets"])
        counts = Counts()
        principals = tuple(config["principals"])
        identity = Identity(
            self._provider, principals, int(config["ttl"]), patience=float(config["patience"]), counts=counts
        )
        hosts = HostPolicy(config["host_check"], self._host_authorities(config["host_cas"]))
        about = {
            "provider": config["provider"],
            "authority": self._provider.describe(),
            "principals": list(principals),
            "host_check": config["host_check"],
            "trial": PROVIDERS[config["provider"]].trial,
        }
        self._agent = Agent(identity, hosts, counts, lambda: about, self._publish)
        if hosts.mode == ENFORCE and config["host_cas"]:
            self._publish(hosts.authorities())
        (folder / CONTROL).mkdir()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(folder / SOCKET))
        self._listener.listen(256)

    def serve(self, ending: _Ending) -> None:
        watched = select.poll()
        watched.register(self._listener, select.POLLIN)
        ending.register(watched)
        while not ending.due():
            for fd, _event in watched.poll(_POLL * 1000):
                if fd == self._listener.fileno():
                    connection, _address = self._listener.accept()
                    threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """The socket first, so that nothing new begins; then control masters and the authority side by side."""
        with suppress(FileNotFoundError):
            (self._folder / SOCKET).unlink()
        self._listener.close()
        revoking = threading.Thread(target=self._provider.close, daemon=True)
        revoking.start()
        close_masters(self._folder / CONTROL)
        revoking.join(_LAST_WORD)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _host_authorities(self, given: list[str]) -> Any:
        known = tuple(blob_of(line) for line in given)

        @cache
        def authorities() -> tuple[bytes, ...]:
            return known or tuple(blob_of(line) for line in self._provider.host_authorities())

        return authorities

    def _publish(self, authorities: tuple[bytes, ...]) -> None:
        """For ssh itself, which checks a host's name as well. In one step: others may be reading."""
        draft = self._folder / f"{KNOWN_HOSTS}.new"
        draft.write_text("".join(f"@cert-authority * {line_of(blob)}\n" for blob in authorities), encoding="utf-8")
        draft.replace(self._folder / KNOWN_HOSTS)

    def _converse(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if _peer(connection) != os.geteuid():
                return
            connection.settimeout(_QUIET_FOR)
            conversation = Conversation(self._agent)
            while (message := _receive(connection)) is not None:
                connection.sendall(conversation.answer(message))


class _Ending:
    """When the run that started us is over: its process is gone, or we are told."""

    def __init__(self, parent: int) -> None:
        self._parent = parent
        self._told = threading.Event()
        signal.signal(signal.SIGTERM, lambda _signal, _frame: self._told.set())
        self._handle: int | None = None
        # A handle and not a number: numbers are used again. Who is orphaned already has no parent to wait for.
        with suppress(OSError, AttributeError):  # Linux 5.3
            self._handle = os.pidfd_open(parent)
        if os.getppid() != parent:
            self._told.set()

    def register(self, watched: select.poll) -> None:
        if self._handle is not None:
            watched.register(self._handle, select.POLLIN)

    def due(self) -> bool:
        return self._told.is_set() or os.getppid() != self._parent


def close_masters(folder: Path) -> None:
    """End the connections that ssh keeps open: they would outlive the certificate they were opened with."""

    def close(path: Path) -> None:
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(
                ["ssh", "-O", "exit", "-o", f"ControlPath={path}", "-F", "none", "slipway"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_LAST_WORD,
                check=False,
            )

    with suppress(OSError), ThreadPoolExecutor(max_workers=16) as pool:
        list(pool.map(close, folder.iterdir()))


def _peer(connection: socket.socket) -> int:
    """The user at the other end; -1 where the system does not tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return -1
    credentials = connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])


def _receive(connection: socket.socket) -> bytes | None:
    """One message; None when the other side has gone, or sends what no agent takes."""
    head = _exactly(connection, 4)
    if head is None:
        return None
    length = int.from_bytes(head, "big")
    return _exactly(connection, length) if 0 < length <= LONGEST else None


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 65536))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _say(content: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


def _let_go_of_output() -> None:
    """Whoever reads the run's output must not wait for us."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nowhere, fd)
    os.close(nowhere)
