# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Connections to the API server under one credential, and under the next one when the first has ended.

Short-lived tokens and certificates are renewed by others while a run lasts: what was read at its start is read anew.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .access import Access
from .errors import AccessError, ApiError, CredentialError

with suppress(ImportError):  # the shell names what is missing
    import urllib3

READ_TIMEOUT = 60.0
EARLY_RETRY = 20.0
"""Seconds between attempts to renew a credential that is still accepted."""


@dataclass(frozen=True)
class Session:
    """One credential with its pool of connections."""

    access: Access
    http: urllib3.PoolManager = field(repr=False)
    headers: dict[str, str] = field(repr=False)


class Sessions:
    """``current`` is what the next request uses; many threads ask, and one of them renews: when a credential is
    refused, or before, when it is known how long it lasts."""

    def __init__(self, access: Access, *, user_agent: str, connections: int) -> None:
        self._user_agent = user_agent
        self._connections = connections
        self._lock = threading.Lock()
        self._last: Session | None = None
        self._newest = self._open(access)
        self._postponed = 0.0

    @property
    def current(self) -> Session:
        session = self._newest
        due = max(session.access.renew_at, self._postponed)
        # The others go on with what is still good.
        if time.monotonic() >= due and self._lock.acquire(blocking=False):
            try:
                self._renew_early(session)
            finally:
                self._lock.release()
        return self._newest

    def _renew_early(self, session: Session) -> None:
        if self._newest is not session:
            return
        try:
            self._newest = self._open(session.access.renewed())
        except AccessError:
            # What is there may last until the next attempt; if not, the refusal tells.
            self._postponed = time.monotonic() + EARLY_RETRY

    def another(self, refused: Session) -> bool:
        """Whether there is a newer credential than the ``refused`` one. Raises ``CredentialError`` where there should
        be one and it cannot be read."""
        with self._lock:
            if self._newest is not refused:
                return True
            if refused is self._last:
                return False
            self._last = refused
            try:
                access = refused.access.renewed()
            except AccessError as exc:
                why = f"{_refused(refused.access)}, and a new one cannot be had: {exc.message}"
                raise CredentialError("SLW-6105", why, advice(refused.access)) from exc
            if access.credential == refused.access.credential:
                return False
            self._newest = self._open(access)
            return True

    def close(self) -> None:
        self._newest.http.clear()

    def _open(self, access: Access) -> Session:
        headers = {"User-Agent": self._user_agent, "Accept": "application/json"}
        if access.token:
            headers["Authorization"] = f"Bearer {access.token}"
        options: dict[str, Any] = {
            "maxsize": self._connections,
            "block": True,
            "retries": False,
            "headers": headers,
            "ssl_context": access.ssl_context(),
            "timeout": urllib3.Timeout(connect=10.0, read=READ_TIMEOUT),
        }
        if access.tls_server_name:
            options["server_hostname"] = access.tls_server_name
            options["assert_hostname"] = access.tls_server_name
        if access.proxy:
            return Session(access, urllib3.ProxyManager(access.proxy, **options), headers)
        return Session(access, urllib3.PoolManager(**options), headers)


def refusal(access: Access, answer: ApiError) -> CredentialError:
    """What is said when the API server does not take a credential and there is no other."""
    return CredentialError("SLW-6105", f"{_refused(access)}: {answer.status} {answer.api_message}", advice(access))


def advice(access: Access) -> str:
    what = "set SLIPWAY_API_TOKEN to a new token" if access.source == "slipway_api_token" else "renew it"
    return f"{what} and give the same command again: what was begun is recorded"


def _refused(access: Access) -> str:
    ended = token_end(access.token)
    when = f", which ended at {ended:%Y-%m-%d %H:%M:%S} UTC" if ended and ended < datetime.now(UTC) else ""
    return f"{access.server} does not accept {access.source}{when}"


def token_end(token: str) -> datetime | None:
    """When a token says that it ends. What is no JSON Web Token says nothing."""
    body = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        return datetime.fromtimestamp(json.loads(base64.urlsafe_b64decode(body + "=="))["exp"], tz=UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError, binascii.Error):
        return None
