# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A chart repository and an OCI registry on loopback, both with Basic authentication, counting their requests."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

USER, PASSWORD = "reader", "sp3cial/p@ss"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Server(ThreadingHTTPServer):
    """``pages`` maps a path to content type and body; ``requests`` are the paths asked for, with credentials or not."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, tuple[str, bytes]] = {}
        self.requests: list[str] = []
        self.authorizations: list[str | None] = []
        self.failures = 0
        self.is_open = False

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        given = self.headers.get("Authorization")
        self.server.authorizations.append(given)
        wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.server.failures:
            self.server.failures -= 1
            self._answer(503, "text/plain", b"")
        elif given != wanted and not self.server.is_open:
            self._answer(401, "text/plain", b"")
        elif self.path in self.server.pages:
            self._answer(200, *self.server.pages[self.path])
        else:
            self._answer(404, "application/json", b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "not found"}]}')

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="charts"')
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Content-Digest", f"sha256:{hashlib.sha256(body).hexdigest()}")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def pack(chart: Path) -> bytes:
    """The chart's archive; the same bytes each time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(chart, chart.name)
    return gzip.compress(buffer.getvalue(), mtime=0)


def publish(server: Server, name: str, version: str, data: bytes, digest: str | None = None) -> None:
    """Put a chart into the repository; several versions may follow each other."""
    server.pages[f"/{name}-{version}.tgz"] = ("application/gzip", data)
    entries = json.loads(server.pages["/index.yaml"][1])["entries"] if "/index.yaml" in server.pages else {}
    promised = hashlib.sha256(data).hexdigest() if digest is None else digest
    entry = {"version": version, "urls": [f"{name}-{version}.tgz"], "digest": promised}
    entries.setdefault(name, []).append(entry)
    server.pages["/index.yaml"] = ("text/yaml", json.dumps({"apiVersion": "v1", "entries": entries}).encode())


def push(server: Server, name: str, version: str, data: bytes) -> str:
    """Put a chart into the registry. Returns the manifest's digest."""
    config = json.dumps({"name": name.rpartition("/")[2], "version": version, "apiVersion": "v2"}).encode()
    layers = [_blob(server, name, data, "application/vnd.cncf.helm.chart.content.v1.tar+gzip")]
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _blob(server, name, config, "application/vnd.cncf.helm.config.v1+json"),
            "layers": layers,
        }
    ).encode()
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    for reference in (version, digest):
        server.pages[f"/v2/{name}/manifests/{reference}"] = (_MANIFEST, manifest)
    server.pages["/v2/"] = ("application/json", b"{}")
    return digest


def _blob(server: Server, name: str, data: bytes, kind: str) -> dict[str, object]:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    server.pages[f"/v2/{name}/blobs/{digest}"] = ("application/octet-stream", data)
    return {"mediaType": kind, "digest": digest, "size": len(data)}
