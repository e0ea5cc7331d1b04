# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""HTTP servers on loopback: what the lab's chart repository, webhook and fault proxy have in common."""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"


class Server(ThreadingHTTPServer):
    """A thread for each connection; TLS when a certificate is given."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler], certificate: Path | None = None) -> None:
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate, certificate.with_suffix(".key"))
        super().__init__((HOST, port), handler)

    def server_bind(self) -> None:
        # The parent's version asks the resolver for the host's name, which may send a packet off the machine.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self._tls is not None:
            # The handshake happens at the first read, in the connection's own thread: a client that
            # says nothing must not stop the others.
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Handler(BaseHTTPRequestHandler):
    """Keep-alive, JSON in and out."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self) -> None:
        """Answer one request, of whatever method."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The parent looks for do_GET, do_PATCH and so on; here one function answers them all.
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, *_words: object) -> None:
        """Say nothing: the control endpoints tell what was called."""

    def read_body(self) -> bytes:
        """Read the request's body, chunked or of known length."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def send_body(self, status: int, body: bytes, content_type: str, **headers: str) -> None:
        """Answer with a body of known length; ``_`` in a header's name stands for ``-``."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_json(self, status: int, content: object, **headers: str) -> None:
        self.send_body(status, json.dumps(content).encode() + b"\n", "application/json", **headers)


class ControlHandler(Handler):
    """An endpoint by which tests give orders: method and path pick a function, JSON goes in and out."""

    def order(self, method: str, path: str, query: dict[str, str], body: Any) -> object:
        """Do what was asked and return the answer.

        :raises KeyError: when there is no such order.
        :raises ValueError: when its content makes no sense.
        """
        raise NotImplementedError

    def answer(self) -> None:
        path, _, query = self.path.partition("?")
        pairs = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
        raw = self.read_body()
        try:
            answer = self.order(self.command, path, pairs, json.loads(raw) if raw else None)
        except KeyError:
            self.send_json(404, {"error": f"no {self.command} {path} here"})
        except (ValueError, TypeError) as error:
            self.send_json(400, {"error": str(error)})
        else:
            self.send_json(200, answer)
