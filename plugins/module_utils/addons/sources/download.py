# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One HTTP GET with retries and bounds."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ..errors import RenderError
from .codes import REPOSITORY_FAILED

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 30.0
TOTAL_TIMEOUT = 120.0
"""Seconds."""
MAX_SIZE = 100 * 1024 * 1024

_TRIES = 3
_AGAIN = (429, 500, 502, 503, 504)
_CHUNK = 1 << 16
_REFUSED = (401, 403, 407)


def download(url: str, *, authorization: str, ca_file: str, proxy: str, shown: str) -> bytes:
    """The body. ``shown`` stands for the address in messages. Raises RenderError SLW-2020."""
    # imported here because most runs fetch nothing
    import urllib3

    deadline = time.monotonic() + TOTAL_TIMEOUT
    headers = {"User-Agent": "slipway", **({"Authorization": authorization} if authorization else {})}
    try:
        with _pool(urllib3, url, ca_file, proxy) as pool:
            response = pool.request("GET", url, headers=headers, preload_content=False)
            try:
                if response.status in _REFUSED:
                    raise _failed(f"{shown} refuses access (HTTP {response.status})", "credentials")
                if response.status != 200:
                    raise _failed(f"{shown} answers HTTP {response.status}", "address")
                return _read(response, deadline, shown)
            finally:
                response.close()
    except urllib3.exceptions.HTTPError as err:
        reason = getattr(err, "reason", None) or err
        if isinstance(reason, urllib3.exceptions.SSLError):
            raise _failed(f"{shown}: its certificate is not trusted", "ca_file") from None
        if isinstance(reason, urllib3.exceptions.ResponseError):
            raise _failed(f"{shown} keeps failing: {reason}", "address") from None
        # The text of urllib3's errors may hold the whole address, so only the kind is told.
        raise _failed(f"{shown} cannot be reached ({type(reason).__name__})", "address, proxy") from None
    except OSError as err:
        raise _failed(f"{shown} cannot be read: {err.strerror or type(err).__name__}", "ca_file") from None


def _pool(urllib3: Any, url: str, ca_file: str, proxy: str) -> Any:
    common: dict[str, Any] = {
        "retries": urllib3.Retry(total=_TRIES, redirect=5, backoff_factor=0.3, status_forcelist=_AGAIN),
        "timeout": urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT),
    }
    if ca_file:
        common["ca_certs"] = ca_file
    address = proxy or _proxy_from_environment(url)
    if not address:
        return urllib3.PoolManager(**common)
    user, _at, host = urlsplit(address).netloc.rpartition("@")
    headers = urllib3.make_headers(proxy_basic_auth=user) if user else None
    return urllib3.ProxyManager(f"{urlsplit(address).scheme}://{host}", proxy_headers=headers, **common)


def _proxy_from_environment(url: str) -> str:
    parts = urlsplit(url)
    return "" if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme, "")


def _read(response: Any, deadline: float, shown: str) -> bytes:
    chunks: list[bytes] = []
    size = 0
    for chunk in response.stream(_CHUNK):
        size += len(chunk)
        if size > MAX_SIZE:
            raise _failed(f"{shown} is larger than {MAX_SIZE >> 20} MiB", "address")
        if time.monotonic() > deadline:
            raise _failed(f"{shown} was not read within {TOTAL_TIMEOUT:.0f} s", "proxy")
        chunks.append(chunk)
    return b"".join(chunks)


def _failed(message: str, look_at: str) -> RenderError:
    return RenderError(REPOSITORY_FAILED, message, f"look at {look_at} in slipway_repositories")
