# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A server on loopback that says what a test tells it to, byte for byte where it matters."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body or b"{}")


Reply = Callable[[Asked], bytes | Iterator[bytes]]


@dataclass
class StandIn:
    port: int
    asked: list[Asked] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def http(status: int, body: object = None, **headers: str) -> bytes:
    """A whole answer; a body that is no bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status} Said",
        f"Content-Length: {len(content)}",
        *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


@contextmanager
def serving(reply: Reply, *, tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[StandIn]:
    """``reply`` makes the bytes for each request, or pieces that are sent one by one."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            first = self.rfile.readline().decode().split()
            if not first:
                return
            headers = {}
            while line := self.rfile.readline().decode().strip():
                name, _colon, value = line.partition(":")
                headers[name.lower()] = value.strip()
            body = self.rfile.read(int(headers.get("content-length", "0")))
            asked = Asked(first[0], first[1], headers, body)
            made.asked.append(asked)
            said = reply(asked)
            for piece in [said] if isinstance(said, bytes) else said:
                try:
                    self.wfile.write(piece)
                    self.wfile.flush()
                except OSError:
                    return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        allow_reuse_address = True

        def finish_request(self, request: Any, client_address: Any) -> None:
            try:
                connection = tls.wrap_socket(request, server_side=True) if tls else request
            except OSError:
                return
            super().finish_request(connection, client_address)
            if tls:
                connection.close()

    with Server(("127.0.0.1", port), Handler) as server:
        made = StandIn(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
