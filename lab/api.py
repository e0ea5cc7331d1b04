# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A small client for the lab's own calls to its API server."""

from __future__ import annotations

import http.client
import json
import ssl
from pathlib import Path
from typing import Any

from lab.errors import LabError


class Api:
    """One keep-alive connection as the user whose certificate is ``user`` in ``keys``. Not for several threads.

    Without a user it is the owner of ``token``, or nobody. ``keys`` is ``pki`` when absent.
    """

    def __init__(
        self, port: int, pki: Path, user: str | None = "setup", *, token: str = "", keys: Path | None = None
    ) -> None:
        context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        if user is not None:
            context.load_cert_chain(str((keys or pki) / f"{user}.crt"), str((keys or pki) / f"{user}.key"))
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=15, context=context)

    def call(self, method: str, path: str, body: object = None, kind: str = "application/json") -> tuple[int, Any]:
        """Return status and decoded answer (text when it is no JSON).

        :raises OSError: when the server is not reachable; the next call connects anew.
        """
        payload = None if body is None else json.dumps(body)
        headers = {"User-Agent": "slipway-lab", "Content-Type": kind, "Accept": "application/json"} | self._headers
        try:
            self._connection.request(method, path, payload, headers)
            answer = self._connection.getresponse()
            text = answer.read().decode()
        except http.client.HTTPException as error:
            self._connection.close()
            raise ConnectionError(str(error)) from error
        except OSError:
            self._connection.close()
            raise
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def need(self, method: str, path: str, body: object = None, *accept: int) -> Any:
        """Call and return the answer; a status that is neither 2xx nor in ``accept`` is an error.

        :raises LabError: with the server's message.
        """
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        status, answer = self.call(method, path, body, kind)
        if status // 100 != 2 and status not in accept:
            message = answer.get("message") if isinstance(answer, dict) else answer
            raise LabError(f"{method} {path}: {status} {message}")
        return answer

    def ready(self) -> bool:
        """Tell whether the server answers and all its parts have started."""
        try:
            return self.call("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def close(self) -> None:
        self._connection.close()
