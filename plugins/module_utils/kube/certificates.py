# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""When certificates end: the one that the API server shows, and those that somebody has as text."""

from __future__ import annotations

import http.client
import socket
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .access import Access

if TYPE_CHECKING:
    from types import ModuleType

_SECONDS = 10.0


class UnreadableError(Exception):
    """A certificate that cannot be had, or cannot be read: why, in a few words."""


def served_end(access: Access) -> datetime:
    """Of the certificate that whoever answers at the API server's address shows. Raises ``UnreadableError``."""
    parts = urlsplit(access.server)
    host, port = parts.hostname or "", parts.port or 443
    context = access.ssl_context()
    try:
        with (
            _connected(access.proxy, host, port) as plain,
            context.wrap_socket(plain, server_hostname=access.tls_server_name or host) as connection,
        ):
            shown = connection.getpeercert(binary_form=True)
    except (OSError, ValueError, http.client.HTTPException) as exc:
        raise UnreadableError(str(exc) or type(exc).__name__) from exc
    try:
        end: datetime = _x509().load_der_x509_certificate(shown or b"").not_valid_after_utc
    except ValueError as exc:
        raise UnreadableError("no certificate can be read") from exc
    return end


def authorities(pem: str) -> list[datetime]:
    """Of every certificate in a bundle, in its order. Raises ``UnreadableError``."""
    try:
        return [one.not_valid_after_utc for one in _x509().load_pem_x509_certificates(pem.encode())]
    except ValueError as exc:
        raise UnreadableError("no certificate can be read") from exc


def client_end(pem: bytes) -> datetime:
    """Of the first certificate of a chain: the client's own. Raises ``UnreadableError``."""
    return authorities(pem.decode(errors="replace"))[0]


def _connected(proxy: str, host: str, port: int) -> socket.socket:
    if not proxy:
        return socket.create_connection((host, port), _SECONDS)
    parts = urlsplit(proxy)
    tunnel = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=_SECONDS)
    tunnel.set_tunnel(host, port)
    tunnel.connect()
    return tunnel.sock


def _x509() -> ModuleType:
    """Loaded when it is needed: it takes longer than all the rest of a run's start."""
    try:
        from cryptography import x509
    except ImportError as exc:
        raise UnreadableError("the Python package cryptography is missing") from exc
    return x509
