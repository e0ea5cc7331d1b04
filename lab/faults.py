# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A proxy before the API server, or before OpenBao, that disturbs calls as ordered, for clients with a token.

Client certificates end here, so clients use the lab's token. Control endpoint::

    POST   /rules     a rule (``lab.fault_rules.Rule``): {"method": "PATCH", "status": 429, "retry_after": 1}
    GET    /rules     DELETE /rules/ID   DELETE /rules (all; held calls go on)
    GET    /held?wait=SECONDS            calls that wait
    POST   /release   {"id": ID or absent for all, "drop": true to close the connection instead}
    GET    /requests  DELETE /requests   counts by method and path, and every write
    PUT    /door      {"open": false}    nobody listens any more: connections are refused; true opens again
"""

from __future__ import annotations

import argparse
import http.client
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from lab.dialects import DIALECTS, Refusal
from lab.fault_rules import Board
from lab.serve import HOST, ControlHandler, Handler, Server

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"})

Connect = Callable[[], http.client.HTTPConnection]


class DroppedError(ConnectionError):
    """The call ends without an reply."""


def proxy_handler(board: Board, connect: Connect, refusal: Refusal) -> type[Handler]:
    """Make the handler for clients; each of its connections has one to the server, made by ``connect``."""

    class ProxyHandler(Handler):
        def setup(self) -> None:
            super().setup()
            self._server = connect()
            self._clock = 0.0

        def finish(self) -> None:
            self._server.close()
            super().finish()

        def answer(self) -> None:
            body = self.read_body()
            credential = self.headers.get("Authorization", "") or self.headers.get("X-Vault-Token", "")
            entry, rule = board.meet(self.command, self.path, self.headers.get("User-Agent", ""), credential)
            self._clock = 0.0 if rule is None else rule.clock
            try:
                if rule is not None:
                    time.sleep(rule.delay)
                    if rule.reset == "before" or (rule.hold == "before" and board.hold(entry, "before")):
                        raise DroppedError
                    if rule.status is not None:
                        entry["status"] = rule.status
                        headers = {} if rule.retry_after is None else {"Retry_After": str(rule.retry_after)}
                        self.send_json(rule.status, refusal(rule.status, rule.message), **headers)
                        return
                reply = self._forward(body)
                entry["forwarded"], entry["status"] = True, reply.status
                if rule is not None and (
                    rule.reset == "after" or (rule.hold == "after" and board.hold(entry, "after"))
                ):
                    raise DroppedError
                self._relay(reply)
            except (OSError, http.client.HTTPException):
                self._reset()

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string((time.time() if timestamp is None else timestamp) + self._clock)

        def _forward(self, body: bytes) -> http.client.HTTPResponse:
            self._leave_stale_connection()
            self._server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    self._server.putheader(name, value)
            if body or self.command in ("POST", "PUT", "PATCH"):
                self._server.putheader("Content-Length", str(len(body)))
            self._server.endheaders(body or None)
            return self._server.getresponse()

        def _leave_stale_connection(self) -> None:
            # A server that was restarted has closed its end; without this the first call after it would be lost.
            used = self._server.sock
            if used is not None and select.select([used], [], [], 0)[0]:
                self._server.close()

        def _relay(self, reply: http.client.HTTPResponse) -> None:
            self.send_response_only(reply.status, reply.reason)
            for name, value in reply.getheaders():
                if name.lower() == "date":
                    self.send_header("Date", self.date_time_string() if self._clock else value)
                elif name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            length = reply.getheader("Content-Length")
            bodyless = self.command == "HEAD" or reply.status in (204, 304)
            if length is not None:
                self.send_header("Content-Length", length)
            elif not bodyless:
                self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if bodyless:
                reply.read()
            elif length is not None:
                while data := reply.read(65536):
                    self.wfile.write(data)
            else:
                self._stream(reply)

        def _stream(self, reply: http.client.HTTPResponse) -> None:
            """Pass on what comes when it comes: a watch has no end of its own."""
            over = threading.Event()
            threading.Thread(target=self._notice_client_leaving, args=(over,), daemon=True).start()
            try:
                while data := reply.read1(65536):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            finally:
                # Before the end is sent: what the client sends from then on is its next call.
                over.set()
            self.wfile.write(b"0\r\n\r\n")

        def _notice_client_leaving(self, over: threading.Event) -> None:
            while not over.is_set():
                try:
                    if select.select([self.connection], [], [], 0.5)[0] and not over.is_set():
                        if self._server.sock is not None:
                            self._server.sock.shutdown(socket.SHUT_RDWR)
                        return
                except (OSError, ValueError):
                    return

        def _reset(self) -> None:
            """Close with a TCP reset, as a server that dies does."""
            self.close_connection = True
            self._server.close()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    return ProxyHandler


class Door:
    """The port that clients call. It can be shut: then the kernel refuses their connections."""

    def __init__(self, port: int, handler: type[Handler], certificate: Path) -> None:
        self._parts = (port, handler, certificate)
        self._server: Server | None = None

    def set(self, *, open_: bool) -> dict[str, bool]:
        if open_ and self._server is None:
            self._server = Server(*self._parts)
            threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        elif not open_ and self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        return {"open": open_}


def control_handler(board: Board, door: Door) -> type[ControlHandler]:
    """Make the handler that tests give orders to."""

    class Control(ControlHandler):
        def order(self, method: str, path: str, query: dict[str, str], body: Any) -> object:
            _, resource, *rest = path.split("/")
            match method, resource, rest:
                case "POST", "rules", []:
                    return board.add(body or {})
                case "GET", "rules", []:
                    return board.rules()
                case "DELETE", "rules", []:
                    return board.remove()
                case "DELETE", "rules", [number]:
                    return board.remove(int(number))
                case "GET", "held", []:
                    return board.held(float(query.get("wait", "0")))
                case "POST", "release", []:
                    order = body or {}
                    return {"released": board.release(order.get("id"), drop=bool(order.get("drop")))}
                case (("GET" | "DELETE"), "requests", []):
                    return board.requests(clear=method == "DELETE")
                case "PUT", "door", []:
                    return door.set(open_=bool((body or {})["open"]))
                case _:
                    raise KeyError(path)

    return Control


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python3 -m lab.faults")
    parser.add_argument("--listen", type=int, required=True)
    parser.add_argument("--control", type=int, required=True)
    parser.add_argument("--upstream", type=int, required=True)
    parser.add_argument("--dialect", choices=sorted(DIALECTS), required=True)
    parser.add_argument("--pki", type=Path, required=True)
    options = parser.parse_args()
    board = Board()
    connect: Connect
    if options.dialect == "kubernetes":
        trust = ssl.create_default_context(cafile=str(options.pki / "ca.crt"))
        connect = partial(http.client.HTTPSConnection, HOST, options.upstream, context=trust)
    else:
        connect = partial(http.client.HTTPConnection, HOST, options.upstream)
    handler = proxy_handler(board, connect, DIALECTS[options.dialect])
    door = Door(options.listen, handler, options.pki / "faults.crt")
    door.set(open_=True)
    Server(options.control, control_handler(board, door)).serve_forever()


if __name__ == "__main__":
    main()
