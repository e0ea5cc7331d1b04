# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The lab's OpenBao: a real server in memory, set up over its API like any other, so that it can be sealed too."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.errors import LabError

HOST = "127.0.0.1"
AUDIT_LOG = "bao-audit.log"


class Bao:
    """Calls to one server with one token, JSON in and out."""

    def __init__(self, address: str, token: str = "") -> None:
        self.address, self._token = address, token
        # No proxy, whatever the caller's environment says: the server is on loopback.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and decoded answer (None when it is empty, text when it is no JSON).

        :raises OSError: when the server is not reachable.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/v1/{path}", data, method=method)  # noqa: S310
        if self._token:
            request.add_header("X-Vault-Token", self._token)
        try:
            with self._opener.open(request, timeout=15) as answer:
                return answer.status, _decoded(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _decoded(error.read())

    def need(self, method: str, path: str, body: object = None) -> Any:
        """Call and return the answer.

        :raises LabError: with the server's message, when the status is not 2xx.
        """
        status, answer = self.call(method, path, body)
        if status // 100 != 2:
            said = answer.get("errors", answer) if isinstance(answer, dict) else answer
            raise LabError(f"OpenBao: {method} {path}: {status} {said}")
        return answer

    def answers(self) -> bool:
        try:
            self.call("GET", "sys/seal-status")
        except OSError:
            return False
        return True

    def sealed(self) -> bool:
        return bool(self.need("GET", "sys/seal-status")["sealed"])

    def seal(self) -> None:
        """Make the server forget its key: everything is answered with 503 until ``unseal``."""
        self.need("PUT", "sys/seal")

    def unseal(self, key: str) -> None:
        if self.need("PUT", "sys/unseal", {"key": key})["sealed"]:
            raise LabError("OpenBao did not accept the lab's unseal key")


def command(program: str, folder: Path) -> list[str]:
    return [program, "server", f"-config={folder / 'bao.json'}"]


def write_config(folder: Path, port: int) -> None:
    """Write the server's settings.

    Not the development mode: that one takes the root token on its command line and prints it into the log.
    """
    address = f"{HOST}:{port}"
    content = {
        "storage": {"inmem": {}},
        "listener": {"tcp": {"address": address, "tls_disable": True}},
        "disable_clustering": True,
        "api_addr": f"http://{address}",
        "log_level": "warn",
        # What the server itself says it was asked: a line for each request and each answer, secrets as hashes.
        "audit": [{"type": "file", "path": "lab", "options": {"file_path": str(folder / AUDIT_LOG)}}],
    }
    (folder / "bao.json").write_text(json.dumps(content, indent=1) + "\n")


def initialise(port: int) -> tuple[str, str]:
    """Initialise and unseal a new server; return its root token and unseal key."""
    bao = Bao(f"http://{HOST}:{port}")
    made = bao.need("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
    bao.unseal(made["keys"][0])
    return made["root_token"], made["keys"][0]


def of_lab(env: Mapping[str, Any]) -> Bao:
    """OpenBao of the lab that ``env`` (its env.json) describes, as root."""
    return Bao(env["bao_address"], Path(env["bao_token_file"]).read_text())


def _decoded(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode()
