# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""JSON over HTTPS to an API server, with the standard library of Python 3.8 alone: nodes have nothing else."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from ..access import Access
from ..errors import AccessError, ApiError, UnreachableError, api_error

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
_TIMEOUT = 20.0
T = TypeVar("T", bound="Api")
_PASSES = (429, 500, 502, 503, 504)


class Api:
    """One connection to the API server, used by one thread at a time. ``patience``: seconds that a request is repeated
    while nobody answers or the server is overloaded."""

    def __init__(self, access: Access, *, user_agent: str, patience: float = 30.0) -> None:
        if access.proxy:
            raise AccessError("SLW-7402", "the kubeconfig names a proxy", "use one without proxy-url")
        address = urlsplit(access.server)
        if address.scheme != "https" or not address.hostname:
            raise AccessError("SLW-7402", f"the API server's address is not https://host:port: {access.server!r}")
        self.access = access
        self._server = access.server.rstrip("/")
        self._path = address.path.rstrip("/")
        self._patience = patience
        self._headers = {"User-Agent": user_agent, "Accept": "application/json"}
        if access.token:
            self._headers["Authorization"] = f"Bearer {access.token}"
        self._connection = _Connection(
            address.hostname, address.port or 443, access.ssl_context(), access.tls_server_name or address.hostname
        )
        self._ahead = 0.0

    def now(self) -> datetime:
        """The API server's time, as of its answers: a node's own clock may be wrong."""
        return datetime.fromtimestamp(time.time() + self._ahead, tz=timezone.utc)

    def __enter__(self: T) -> T:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str) -> dict[str, Any] | None:
        """One object, or None when there is none."""
        try:
            return self.call("GET", path)
        except ApiError as exc:
            if exc.status == 404:
                return None
            raise

    def items(self, path: str, selector: str) -> list[dict[str, Any]]:
        """All objects with these labels."""
        found: list[dict[str, Any]] = []
        query = {"labelSelector": selector, "limit": "500"}
        while True:
            page = self.call("GET", path, query=query)
            found += page.get("items") or []
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return found
            query["continue"] = token

    def apply(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Server-side apply of an object that is ours alone."""
        query = {"fieldManager": "slipway-access", "force": "true"}
        return self.call("PATCH", path, body, query=query, content_type=APPLY)

    def delete(self, path: str, uid: str = "") -> bool:
        """Whether there was something to delete."""
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            self.call("DELETE", path, options)
        except ApiError as exc:
            if exc.status in (404, 409):
                return False
            raise
        return True

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """One request. Raises ``ApiError`` for an error status, ``UnreachableError`` when nobody answers in time."""
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        target = self._path + path + (f"?{urlencode(query)}" if query else "")
        headers = dict(self._headers)
        if data is not None:
            headers["Content-Type"] = content_type
        deadline, pause = time.monotonic() + self._patience, 0.2
        while True:
            try:
                self._connection.request(method, target, data, headers)
                answer = self._connection.getresponse()
                raw = answer.read()
            except (OSError, http.client.HTTPException) as exc:
                self._connection.close()
                failure: ApiError | UnreachableError = UnreachableError(
                    "SLW-6102",
                    f"{method} {self._server}{path}: {exc or type(exc).__name__}",
                    "is the API server up and reachable?",
                )
                if isinstance(exc, ssl.SSLCertVerificationError):
                    raise failure from exc
            else:
                self._learn(answer.headers.get("Date"))
                if answer.status < 400:
                    return _object(raw, f"{method} {path}")
                failure = api_error(answer.status, raw, f"{method} {path}")
                if answer.status not in _PASSES:
                    raise failure
            if time.monotonic() + pause > deadline:
                raise failure
            time.sleep(pause)
            pause = min(pause * 2, 3.0)

    def _learn(self, date: str | None) -> None:
        if date:
            self._ahead = parsedate_to_datetime(date).timestamp() + 0.5 - time.time()


class _Connection(http.client.HTTPSConnection):
    """The certificate's name may be another one than the address."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, name: str) -> None:
        super().__init__(host, port, timeout=_TIMEOUT, context=context)
        self._trust = context
        self._name = name

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), self.timeout)
        try:
            self.sock = self._trust.wrap_socket(plain, server_hostname=self._name)
        except BaseException:
            plain.close()
            raise


def _object(raw: bytes, request: str) -> dict[str, Any]:
    try:
        found = json.loads(raw) if raw else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UnreachableError("SLW-6102", f"{request} did not answer JSON", "is this the address of an API server?")
    return found
