# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A thin client of the Kubernetes API on urllib3: one pool for each run, retries, and one gate for all writes.

Every mutation of the cluster goes through ``Client.write``. That is the one place where a run that lost its lock
or its parent is stopped.
"""

from __future__ import annotations

import json
import math
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from .access import Access
from .errors import ApiError, UnreachableError, api_error
from .sessions import Session, Sessions, refusal

with suppress(ImportError):  # the shell names what is missing
    from urllib3.exceptions import HTTPError

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
JSON_TYPE = "application/json"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
PAGE = 500

_RETRY_STATUS = {429, 500, 502, 503, 504}
_LOG_PATIENCE = 0.5
_RIGHTS_PATIENCE = 30.0
"""Seconds that new rights may take to be known to every API server, and to be had again when somebody took them."""
_RIGHTS_ATTEMPTS = 4

Json = dict[str, Any]


class Client:
    """``patience`` (seconds) bounds how long one request is retried while the server is away or overloaded.

    ``guard`` is asked before every attempt to write and raises when this run may not write any more.
    """

    def __init__(
        self,
        access: Access,
        *,
        user_agent: str = "slipway",
        connections: int = 16,
        patience: float = 60.0,
    ) -> None:
        self._base = access.server.rstrip("/")
        self._patience = patience
        self.guard: Callable[[], None] | None = None
        self._sessions = Sessions(access, user_agent=user_agent, connections=connections)
        self.requests = 0
        self._lock = threading.Lock()
        self._random = random.SystemRandom()
        self._clock_offset = 0.0
        self._clock_bounds = (-math.inf, math.inf)

    def now(self) -> datetime:
        """The API server's time: clients' clocks differ, and leases compare times."""
        return datetime.fromtimestamp(time.time() + self._clock_offset, tz=UTC)

    def close(self) -> None:
        self._sessions.close()

    def get(self, path: str, query: Mapping[str, str] | None = None, accept: str = JSON_TYPE) -> Json | None:
        """One object, or None when it does not exist."""
        try:
            return self._json("GET", path, query, accept=accept)
        except ApiError as exc:
            if exc.status == 404:
                return None
            raise

    def text(self, path: str, query: Mapping[str, str] | None = None) -> str | None:
        """A plain text answer (pod logs), or None when it cannot be had."""
        try:
            # Logs come from the node: a dead one must not hold up the message that says so.
            raw = self._request("GET", path, query, None, JSON_TYPE, "*/*", patience=_LOG_PATIENCE)
        except (ApiError, UnreachableError):
            return None
        return raw.decode(errors="replace")

    def list(self, path: str, query: Mapping[str, str] | None = None, *, metadata: bool = False) -> list[Json]:
        """All items of a collection, page by page; ``metadata`` asks for PartialObjectMetadata only."""
        return list(self._pages(path, dict(query or {}), METADATA_LIST if metadata else JSON_TYPE))

    def _pages(self, path: str, query: dict[str, str], accept: str) -> Iterator[Json]:
        query["limit"] = str(PAGE)
        while True:
            page = self._json("GET", path, query, accept=accept)
            kind = str(page.get("kind", "")).removesuffix("List")
            for item in page.get("items") or []:
                if accept == JSON_TYPE and kind:
                    item.setdefault("kind", kind)
                    item.setdefault("apiVersion", page.get("apiVersion", ""))
                yield item
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return
            query["continue"] = token

    def write(
        self,
        method: str,
        path: str,
        body: Json | Sequence[Json] | None = None,
        query: Mapping[str, str] | None = None,
        content_type: str = JSON_TYPE,
        patience: float | None = None,
        accept: str = JSON_TYPE,
    ) -> Json:
        """The only way to change anything. Raises ``StoppedError`` when this run may not write any more."""
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        guard = None if query and query.get("dryRun") else self.guard
        raw = self._request(method, path, query, data, content_type, accept, guard=guard, patience=patience)
        return _loads(raw, f"{method} {path}")

    def apply(
        self,
        path: str,
        body: Json,
        *,
        manager: str,
        force: bool = False,
        dry_run: bool = False,
        accept: str = JSON_TYPE,
    ) -> Json:
        """Server-side apply of one object. With ``METADATA`` as ``accept`` only that comes back."""
        query = {"fieldManager": manager, "force": "true" if force else "false"}
        if dry_run:
            query["dryRun"] = "All"
        return self.write("PATCH", path, body, query, APPLY, accept=accept)

    def delete(self, path: str, *, uid: str = "", propagation: str = "Background") -> bool:
        """Ask for a deletion, with the UID as precondition. False: it is gone at once, was so already, or is another
        object now. True: something has to happen first (finalizers, a grace period)."""
        body: Json = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if uid:
            body["preconditions"] = {"uid": uid}
        try:
            answer = self.write("DELETE", path, body)
        except ApiError as exc:
            if exc.status == 404 or (exc.status == 409 and "uid" in exc.api_message.lower()):
                return False
            raise
        return bool((answer.get("metadata") or {}).get("deletionTimestamp"))

    def _json(self, method: str, path: str, query: Mapping[str, str] | None, *, accept: str) -> Json:
        return _loads(self._request(method, path, query, None, JSON_TYPE, accept), f"{method} {path}")

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: bytes | None,
        content_type: str,
        accept: str,
        *,
        guard: Callable[[], None] | None = None,
        patience: float | None = None,
    ) -> bytes:
        url = f"{self._base}{path}" + (f"?{urlencode(query)}" if query else "")
        more = {"Accept": accept} if body is None else {"Accept": accept, "Content-Type": content_type}
        renewed = False
        denied = 0
        deadline = time.monotonic() + (self._patience if patience is None else patience)
        pause = 0.1
        while True:
            if guard is not None:
                guard()
            with self._lock:
                self.requests += 1
            asked_for = 0.0
            session = self._sessions.current
            sent = time.time()
            try:
                answer = session.http.request(method, url, body=body, headers={**session.headers, **more})
            except HTTPError as exc:
                failure: UnreachableError | ApiError = UnreachableError(
                    "SLW-6102", f"{method} {self._base}{path}: {_why(exc)}", "is the API server up and reachable?"
                )
                if _distrusted(exc):
                    raise failure from exc
            else:
                self._learn_clock(answer.headers.get("Date"), sent)
                if answer.status < 400:
                    return answer.data
                failure = api_error(answer.status, answer.data, f"{method} {path}")
                if failure.status == 401:
                    self._renew(session, failure, renewed=renewed)
                    renewed = True
                    continue
                if session.access.unlimited and _lacks_right(failure):
                    deadline = min(deadline, time.monotonic() + _RIGHTS_PATIENCE) if not denied else deadline
                    denied += 1
                    if denied == _RIGHTS_ATTEMPTS:
                        self._sessions.another(session)
                elif not _worth_retrying(failure):
                    raise failure
                asked_for = _seconds(answer.headers.get("Retry-After"))
            wait = min(asked_for, 10.0) or pause * self._random.uniform(0.8, 1.2)
            if time.monotonic() + wait > deadline:
                raise failure
            self._sleep(wait)
            pause = min(pause * 2, 3.0)

    def _renew(self, session: Session, answer: ApiError, *, renewed: bool) -> None:
        """Read the credential anew, once for each request. Raises ``CredentialError`` when none is accepted, and
        ``answer`` when it was not the API server that refused (an aggregated one, or a kubelet asked for logs)."""
        if not renewed and self._sessions.another(session):
            return
        try:
            known = session.http.request("GET", f"{self._base}/version", headers=session.headers).status != 401
        except HTTPError:
            known = True
        if known:
            raise answer
        raise refusal(session.access, answer)

    def _sleep(self, seconds: float) -> None:
        """Between attempts, reads included: a run that may not write any more has nothing to wait for."""
        until = time.monotonic() + seconds
        while True:
            if self.guard is not None:
                self.guard()
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 1.0))

    def _learn_clock(self, date: str | None, sent: float) -> None:
        """The header has whole seconds; what many answers say together is as exact as they are quick."""
        if not date:
            return
        try:
            second = parsedate_to_datetime(date).timestamp()
        except ValueError:
            return
        with self._lock:
            low, high = self._clock_bounds
            low, high = max(low, second - time.time()), min(high, second + 1 - sent)
            if low > high:
                # One of the two clocks was set.
                low, high = second - time.time(), second + 1 - sent
            self._clock_bounds = low, high
            self._clock_offset = (low + high) / 2


def _worth_retrying(error: ApiError) -> bool:
    # A webhook that cannot be called answers as 500 too; whether to wait for it is the caller's decision.
    return error.status in _RETRY_STATUS and not error.webhook_unavailable


def _lacks_right(error: ApiError) -> bool:
    """Admission refuses with the same status, and other words."""
    return error.status == 403 and error.reason == "Forbidden" and 'User "' in error.api_message


def _distrusted(exc: BaseException) -> bool:
    """A certificate that does not fit will not fit later; any other failure of TLS may pass."""
    seen: BaseException | None = exc
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return True
        nested = [arg for arg in seen.args if isinstance(arg, BaseException)]
        seen = seen.__cause__ or seen.__context__ or (nested[0] if nested else None)
    return False


def _why(exc: HTTPError) -> str:
    cause = exc.__cause__ or exc.__context__ or exc
    return str(cause) or type(exc).__name__


def _loads(raw: bytes, request: str) -> Json:
    try:
        found = json.loads(raw) if raw else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UnreachableError("SLW-6102", f"{request} did not answer JSON", "is this the address of an API server?")
    return found


def _seconds(header: str | None) -> float:
    """Retry-After in seconds; its other form, a date, counts as none."""
    try:
        return float(header or 0)
    except ValueError:
        return 0.0
