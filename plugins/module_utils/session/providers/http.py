# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Requests to a certificate authority, by the standard library alone: this runs in every execution environment.

Redirects are never followed, because the token would travel along; proxies are taken from the environment.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from ..errors import ProviderError, SettingsError

TIMEOUT = 10.0
# Answers of authorities are a few KiB; whatever sends more is something else.
LIMIT = 1 << 20
_LONGEST = 300
_CUT = "the answer was cut off"


@dataclass(frozen=True)
class Answer:
    """``headers`` are asked for by lower-case names. The body may hold a token and is never shown."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def clock(self) -> float | None:
        """The ``Date`` of the answer in seconds since the epoch."""
        with suppress(ValueError):
            return parsedate_to_datetime(self.headers.get("date", "")).timestamp()
        return None

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one where it is something else."""
        with suppress(ValueError):
            data = json.loads(self.body)
            if isinstance(data, dict):
                return data
        return {}


def trusted(ca_file: str = "", ca_pem: str = "") -> ssl.SSLContext:
    """Which certificates are believed: those of a file or text, or the system's. Raises ``SettingsError``."""
    try:
        file = str(Path(ca_file).expanduser()) if ca_file else None
        return ssl.create_default_context(cafile=file, cadata=ca_pem or None)
    except (OSError, ValueError) as exc:
        what = f"the authorities in {ca_file}" if ca_file else "the given authorities"
        raise SettingsError("SLW-7043", f"{what} cannot be used: {reason(exc)}", "give a PEM file as ca_file") from exc


def reason(exc: BaseException) -> str:
    """What an exception of the system or of TLS says, without numbers and source lines."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return exc.verify_message
    if isinstance(exc, ssl.SSLError):
        return (exc.reason or "TLS error").lower().replace("_", " ")
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    if isinstance(exc, http.client.IncompleteRead):
        return _CUT
    return " ".join(str(exc).split())[:_LONGEST] or type(exc).__name__


class Http:
    """One authority. ``name`` begins the sentences of errors: ``OpenBao at https://bao.example.com:8200``."""

    def __init__(
        self, address: str, name: str, *, tls: ssl.SSLContext | None, server_name: str = "", timeout: float = TIMEOUT
    ) -> None:
        self.name = name
        self._url = urlsplit(address)
        self._host = self._url.hostname or ""
        self._port = self._url.port or (443 if self._url.scheme == "https" else 80)
        self._tls = tls
        self._server_name = server_name or self._host
        self._timeout = timeout

    def send(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, headers: Mapping[str, str]
    ) -> Answer:
        """One attempt, ended after the time-out whatever the other side does. ``path`` is below the address.

        Raises ``ProviderError`` for everything that is no answer to this request; HTTP errors are answers.
        """
        content = None if body is None else json.dumps(body).encode()
        sent = {"User-Agent": "slipway", "Accept": "application/json", "Connection": "close", **headers}
        if content is not None:
            sent["Content-Type"] = "application/json"
        target = f"{self._url.path.rstrip('/')}/{path}"
        watch = _Watch(self._timeout)
        try:
            connection, extra, prefix = self._connection(watch)
            with watch:
                connection.request(method, prefix + target, body=content, headers=sent | extra)
                with connection.getresponse() as response:
                    return self._read(response, watch)
        except ssl.SSLCertVerificationError as exc:
            raise ProviderError(
                "SLW-7102",
                f"{self.name} has a certificate that is not trusted: {reason(exc)}",
                "set ca_file to the authority that made it; tls_server_name if it is made out to another name",
            ) from exc
        except (OSError, http.client.HTTPException) as exc:
            why = (
                f"no answer within {self._timeout:g} s"
                if watch.expired or isinstance(exc, TimeoutError)
                else reason(exc)
            )
            raise ProviderError(
                "SLW-7101", f"{self.name} does not answer: {why}", "is the address right?", passes=True
            ) from exc

    def _read(self, response: http.client.HTTPResponse, watch: _Watch) -> Answer:
        body = response.read(LIMIT + 1)
        if watch.expired:
            raise TimeoutError
        whole = response.status != 200 or body or response.chunked or response.length is not None
        if not whole or (response.length and len(body) <= LIMIT):
            raise ConnectionError(_CUT)
        headers = {name.lower(): value for name, value in response.getheaders()}
        if len(body) > LIMIT:
            raise ProviderError("SLW-7105", f"{self.name} sent an answer of more than 1 MiB", "is the address right?")
        if response.status in range(300, 400):
            raise ProviderError(
                "SLW-7105",
                f"{self.name} redirects to {_origin(headers)}, and a token is not sent after it",
                "set address to the place that answers itself",
            )
        return Answer(response.status, headers, body)

    def _connection(self, watch: _Watch) -> tuple[http.client.HTTPConnection, dict[str, str], str]:
        """A connection, headers for a proxy that forwards, and what stands before the path for it."""
        proxy = self._proxy()
        host, port = (proxy.hostname or "", proxy.port or 80) if proxy else (self._host, self._port)
        login = _login(proxy) if proxy else {}
        if self._tls is None:
            return _Plain(host, port, watch), login, f"http://{self._url.netloc}" if proxy else ""
        secure = _Secure(host, port, watch, self._tls, self._server_name)
        if proxy:
            secure.set_tunnel(self._host, self._port, login)
        return secure, {}, ""

    def _proxy(self) -> SplitResult | None:
        named = getproxies().get(self._url.scheme)
        if not named or proxy_bypass(f"{self._host}:{self._port}"):
            return None
        proxy = urlsplit(named if "://" in named else f"http://{named}")
        if proxy.scheme != "http":
            raise ProviderError(
                "SLW-7101",
                f"{self.name} cannot be reached: the environment names a {proxy.scheme} proxy",
                "use a http:// proxy, or name the host in NO_PROXY",
            )
        return proxy


def _origin(headers: Mapping[str, str]) -> str:
    """Where a redirect leads, without what may have been copied into its path."""
    with suppress(ValueError):
        place = urlsplit(headers.get("location", ""))
        if place.scheme and place.hostname:
            return f"{place.scheme}://{place.hostname}"
    return "somewhere else"


def _login(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


class _Watch:
    """Ends a request at its time: a socket's own time-out begins anew with every byte that arrives."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.expired = False
        self.connection: http.client.HTTPConnection | None = None
        # What the connection forgets once an answer begins, or TLS has taken over.
        self.socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *exc: object) -> None:
        self._timer.cancel()
        if self.connection is not None:
            self.connection.close()
        if self.socket is not None:
            self.socket.close()

    def _end(self) -> None:
        self.expired = True
        current = self.socket or (self.connection and self.connection.sock)
        if current:
            with suppress(OSError):
                # Not the method of TLS sockets, which would pull the session from under the reading thread.
                socket.socket.shutdown(current, socket.SHUT_RDWR)


class _Plain(http.client.HTTPConnection):
    def __init__(self, host: str, port: int, watch: _Watch) -> None:
        super().__init__(host, port, timeout=watch.seconds)
        self._watch = watch
        watch.connection = self

    def connect(self) -> None:
        super().connect()
        self._watch.socket = self.sock


class _Secure(_Plain):
    """TLS, through a proxy's tunnel too, with a name of our choice to verify."""

    def __init__(self, host: str, port: int, watch: _Watch, tls: ssl.SSLContext, server_name: str) -> None:
        super().__init__(host, port, watch)
        self._tls = tls
        self._server_name = server_name

    def connect(self) -> None:
        super().connect()
        secure = self._tls.wrap_socket(self.sock, server_hostname=self._server_name, do_handshake_on_connect=False)
        self.sock = self._watch.socket = secure
        secure.do_handshake()
