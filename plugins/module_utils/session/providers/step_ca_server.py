# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""step-ca's HTTP API, and which of its certificates is believed."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ProviderError
from .http import Answer, Http, trusted

_LONGEST = 300


class Server:
    """``fingerprint``: of the root certificate, which is then fetched from the server itself and believed by that."""

    def __init__(self, address: str, *, ca_file: str, fingerprint: str, server_name: str, timeout: float) -> None:
        self.address = address
        self.name = f"step-ca at {address}"
        self._fingerprint = fingerprint.lower()
        self._server_name = server_name
        self._timeout = timeout
        self._http: Http | None = None if fingerprint else self._over(trusted(ca_file))

    def send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, hide: Iterable[str] = ()
    ) -> tuple[Answer, str]:
        """An answer of the server, and what it says where it refuses. Raises ``ProviderError`` where it has a fault."""
        if self._http is None:
            self._http = self._over(self._pinned())
        answer = self._http.send(method, path, body=body, headers={})
        said = str(answer.json().get("message") or "no reason given")
        for secret in filter(None, hide):
            said = said.replace(secret, "***")
        said = "".join(char for char in " ".join(said.split()) if char.isprintable())[:_LONGEST]
        if answer.status == 501:
            raise ProviderError("SLW-7123", f"{self.name} has no SSH authority", 'its ca.json needs "ssh"')
        if answer.status == 429 or answer.status >= 500:
            what = "has too many requests" if answer.status == 429 else "has a fault"
            raise ProviderError(
                "SLW-7104", f"{self.name} {what}: {answer.status} {said}", "look at its log", passes=True
            )
        return answer, said

    def _over(self, tls: ssl.SSLContext) -> Http:
        return Http(self.address, self.name, tls=tls, server_name=self._server_name, timeout=self._timeout)

    def _pinned(self) -> ssl.SSLContext:
        """Anybody may hand us the root certificate: its hash says whether it is the right one."""
        anybody = ssl.create_default_context()
        anybody.check_hostname = False
        anybody.verify_mode = ssl.CERT_NONE
        pem = self._over(anybody).send("GET", f"root/{self._fingerprint}", headers={}).json().get("ca")
        try:
            der = ssl.PEM_cert_to_DER_cert(str(pem))
        except ValueError:
            der = b""
        if hashlib.sha256(der).hexdigest() != self._fingerprint:
            raise ProviderError(
                "SLW-7102",
                f"{self.name} has no root certificate with the fingerprint {self._fingerprint}",
                "compare it with: step certificate fingerprint root_ca.crt",
            )
        return trusted(ca_pem=ssl.DER_cert_to_PEM_cert(der))
