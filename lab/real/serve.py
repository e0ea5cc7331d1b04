# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The mirror: ``python3 -m lab.real.serve FOLDER`` serves files and images, read only, in the namespace it is in."""

from __future__ import annotations

import socketserver
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lab.real.images import MANIFEST

PORT = 8080


class Server(ThreadingHTTPServer):
    """A thread for each connection."""

    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        # The parent's version asks the resolver for the host's name.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "mirror", self.server_address[1]


class Handler(SimpleHTTPRequestHandler):
    """Files; what lies among manifests is one."""

    protocol_version = "HTTP/1.1"

    def guess_type(self, path: object) -> str:
        return MANIFEST if "/manifests/" in str(path) else "application/octet-stream"


def main() -> None:
    """Serve until killed."""
    with Server(("", PORT), partial(Handler, directory=str(Path(sys.argv[1])))) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
