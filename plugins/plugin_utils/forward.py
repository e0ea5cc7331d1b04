# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A local forward to an API server that only nodes can reach: through the host's own SSH settings, bastion included."""

from __future__ import annotations

import os
import select
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import AccessError

_ADDRESS = "127.0.0.1"
_ATTEMPTS = 5
_READY = b"forwarding"
_PATIENCE = 60.0
_NEAR = 10.0


@contextmanager
def forward(connection: Any, target: tuple[str, int]) -> Iterator[tuple[str, int]]:
    """A port on the controller's loopback that leads to ``target``, as the host behind ``connection`` sees it. It ends
    with the block, and with this process. Raises ``AccessError`` SLW-7405."""
    if connection.transport != "ssh":
        raise AccessError(
            "SLW-7405", f"slipway_api_forward needs a connection by ssh, this one is {connection.transport}"
        )
    if connection.get_option("password"):
        raise AccessError("SLW-7405", "slipway_api_forward does not work with a password", "use a key or a certificate")
    with tempfile.TemporaryFile() as said:
        process, port = _open(connection, target, said)
        try:
            yield _ADDRESS, port
        finally:
            if process.stdin is not None:
                # The other side waits for the end of its input, and for nothing else.
                process.stdin.close()
            process.terminate()
            process.wait()


def check(address: tuple[str, int], target: tuple[str, int], context: ssl.SSLContext, name: str) -> None:
    """Whether the other end is the API server. Raises ``AccessError`` SLW-7405."""
    where = f"{target[0]}:{target[1]}"
    try:
        with socket.create_connection(address, _NEAR) as plain, context.wrap_socket(plain, server_hostname=name):
            return
    except ssl.SSLCertVerificationError as exc:
        raise AccessError(
            "SLW-7405",
            f"{where}, through the forward, is not {name}: {exc.verify_message}",
            "set slipway_api_server_name to a name in the API server's certificate",
        ) from exc
    except OSError as exc:
        raise AccessError(
            "SLW-7405",
            f"no TLS connection to {where} through the forward: {exc}",
            "does the host reach it, and does sshd allow TCP forwarding (a certificate needs permit-port-forwarding)?",
        ) from exc


def reachable(server: str) -> None:
    """Whether an address that nobody wrote down can be reached from here: the host itself has just used the API server,
    so there is nothing to wait for. Raises ``AccessError`` SLW-7409."""
    parts = urlsplit(server)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 443), _NEAR).close()
    except OSError as exc:
        raise AccessError(
            "SLW-7409",
            f"the API server cannot be reached from here at {server}: {exc}",
            "set slipway_api_forward: true to go through the host, or slipway_api_server with slipway_api_access: ssh",
        ) from exc


def _open(connection: Any, target: tuple[str, int], said: BinaryIO) -> tuple[subprocess.Popen[bytes], int]:
    why = ""
    for _attempt in range(_ATTEMPTS):
        port = _free_port()
        process = subprocess.Popen(
            _command(connection, port, target), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
        )
        if _is_ready(process):
            return process, port
        process.kill()
        process.wait()
        said.seek(0)
        lines = [line for line in said.read().decode(errors="replace").splitlines() if not line.startswith("debug")]
        why = lines[-1].strip() if lines else "no answer"
        if "already in use" not in why and "listen" not in why:
            break
    raise AccessError("SLW-7405", f"no forward through {connection.host}: {why}", "is the host reachable by SSH?")


def _command(connection: Any, port: int, target: tuple[str, int]) -> list[str]:
    host, number = target
    there = f"[{host}]" if ":" in host else host
    arguments = (
        # A connection of its own: in a shared one the forward would outlive us.
        "-S", "none", "-T", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-o", "ServerAliveInterval=15",
        "-L", f"{_ADDRESS}:{port}:{there}:{number}",
        connection.host, f"echo {_READY.decode()} && exec cat",
    )  # fmt: skip
    built = connection._build_command(connection.get_option("ssh_executable"), "ssh", *arguments)
    return [os.fsdecode(part) for part in built]


def _is_ready(process: subprocess.Popen[bytes]) -> bool:
    if process.stdout is None:
        return False
    deadline, seen = time.monotonic() + _PATIENCE, b""
    while _READY not in seen:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            return False
        part = os.read(process.stdout.fileno(), 4096)
        if not part:
            return False
        seen += part
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_ADDRESS, 0))
        return int(probe.getsockname()[1])
