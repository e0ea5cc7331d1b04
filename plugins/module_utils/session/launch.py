# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Starts the agent's process, and asks it questions."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import wire
from .agent import CERTIFY, STATUS
from .errors import SessionError
from .settings import Settings
from .wire import Reader, WireError, packet, string

_START = 30.0
_ANSWER = 60.0
_MEMORY = ("/dev/shm",)  # noqa: S108 - made there with a random name and mode 0700
_LONGEST_PATH = 59
"""Bytes of the folder for folders: what ssh puts below it must fit into the 108 of a socket's address."""

# The collection's own folder comes first in the path, under a name of its own: the process knows nothing of Ansible.
_PROGRAM = """\
import json, sys
sys.path[:] = json.loads(sys.stdin.readline())
from session.process import main
sys.exit(main())
"""


@dataclass
class Running:
    """A session's agent. ``folder`` holds its socket and the run's control sockets, and goes with it."""

    folder: Path
    socket: Path
    process: subprocess.Popen[str] | None = field(repr=False, default=None)

    @property
    def control_path_dir(self) -> str:
        return str(self.folder / "cp")

    @property
    def known_hosts(self) -> str:
        """File with the authorities for hosts, once there is a certificate and hosts are checked."""
        return str(self.folder / "known_hosts")

    def status(self) -> dict[str, Any]:
        """What the agent tells of itself. Raises ``SessionError`` SLW-7012 when it is gone."""
        return self._ask(STATUS)

    def certify(self) -> None:
        """Have a certificate now. Raises ``SessionError`` with the authority's reason when there is none to be had."""
        error = self._ask(CERTIFY)["error"]
        if error:
            raise SessionError.from_dict(error)

    def _ask(self, question: bytes) -> dict[str, Any]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(_ANSWER)
                connection.connect(str(self.socket))
                connection.sendall(packet(wire.EXTENSION, string(question)))
                with connection.makefile("rb") as answers:
                    length = int.from_bytes(answers.read(4), "big")
                    reader = Reader(answers.read(length))
            if reader.byte() != wire.SUCCESS:
                raise WireError("refused")
            found: dict[str, Any] = json.loads(reader.string())
            return found
        except (OSError, ValueError) as exc:
            raise SessionError("SLW-7012", f"the session's agent does not answer on {self.socket}: {exc}") from exc


def start(settings: Settings, secrets: Mapping[str, str]) -> Running:
    """An agent for this process: it ends when this process does. Raises ``SessionError`` SLW-7011."""
    if find_spec("cryptography") is None:
        advice = "install the collection's requirements.txt for Ansible's Python"
        raise SessionError("SLW-7010", "the Python package cryptography is missing on the controller", advice)
    package = Path(__file__).resolve().parent
    config = {
        "pid": os.getpid(),
        "base": str(base_folder()),
        "provider": settings.provider,
        "options": settings.options,
        "secrets": dict(secrets),
        "principals": settings.principals,
        "ttl": settings.ttl,
        "patience": settings.patience,
        "host_check": settings.host_check,
        "host_cas": settings.host_cas,
    }
    path = [str(package.parent), *sys.path]
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd="/",
    )
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise SessionError("SLW-7011", "the session's agent has no standard input and output")
    # Nothing more is said in this way; open pipes would be everybody's that this process starts.
    with process.stdout, process.stderr:
        try:
            process.stdin.write(json.dumps(path) + "\n" + json.dumps(config))
            process.stdin.close()
            line = process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            said = process.stderr.read().strip().splitlines()[-1:] or [f"exit status {process.wait(_START)}"]
            raise SessionError("SLW-7011", f"the session's agent did not start: {said[0]}")
    answer = json.loads(line)
    if "error" in answer:
        process.wait(_START)
        raise SessionError.from_dict(answer["error"])
    return Running(Path(answer["folder"]), Path(answer["socket"]), process)


def base_folder() -> Path:
    """Memory where there is some: nothing of a session belongs on a disk."""
    for candidate in (os.environ.get("XDG_RUNTIME_DIR") or "", *_MEMORY):
        folder = Path(candidate)
        short = candidate and len(os.fsencode(candidate)) <= _LONGEST_PATH
        if short and folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return folder
    return Path(tempfile.gettempdir())
