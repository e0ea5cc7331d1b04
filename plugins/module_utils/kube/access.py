# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Where the API server is and how we identify ourselves: a kubeconfig, or server + token + CA.

There is no fallback: neither ``$KUBECONFIG``, nor ``~/.kube/config``, nor an in-cluster identity is ever used
unless the user names it, because a run against the wrong cluster is the worst thing this collection could do.
"""

from __future__ import annotations

import base64
import json
import math
import os
import ssl
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

with suppress(ImportError):  # the shell names what is missing
    import yaml

from .errors import AccessError
from .memory_file import memory_file


@dataclass(frozen=True)
class Access:
    """A resolved address and credential. Key material is held in memory only.

    ``source`` says in words where the credential comes from; ``again`` reads it from there once more.
    """

    server: str
    ca_pem: bytes = field(default=b"", repr=False)
    token: str = field(default="", repr=False)
    client_cert_pem: bytes = field(default=b"", repr=False)
    client_key_pem: bytes = field(default=b"", repr=False)
    tls_server_name: str = ""
    insecure: bool = False
    proxy: str = ""
    source: str = "the credential"
    again: Callable[[], Access] | None = field(default=None, repr=False, compare=False)
    renew_at: float = math.inf
    """When a new credential is asked for before the old one ends, in seconds of ``time.monotonic``."""
    unlimited: bool = False
    """Whether it was given all rights: that one is missing can only mean that they were taken, or are not known yet."""

    @property
    def credential(self) -> tuple[str, bytes, bytes]:
        return self.token, self.client_cert_pem, self.client_key_pem

    def renewed(self) -> Access:
        """With the credential as it stands at its source now; the address never changes. Raises ``AccessError``."""
        if self.again is None:
            return self
        new = self.again()
        token, cert, key = new.credential
        return replace(
            self, token=token, client_cert_pem=cert, client_key_pem=key, again=new.again, renew_at=new.renew_at
        )

    def ssl_context(self) -> ssl.SSLContext:
        """Raises ``AccessError`` when a certificate or key cannot be used."""
        try:
            return self._ssl_context()
        except (ssl.SSLError, ValueError) as exc:
            raise AccessError("SLW-6101", f"a certificate or key for {self.server} cannot be used: {exc}") from exc

    def _ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.ca_pem.decode() if self.ca_pem else None)
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.client_cert_pem:
            # ssl reads certificates from a path only.
            with memory_file(self.client_cert_pem + b"\n" + self.client_key_pem) as path:
                context.load_cert_chain(path)
        return context


def from_options(
    *, kubeconfig: str = "", context: str = "", server: str = "", token: str = "", ca_file: str = ""
) -> Access:
    """Resolve what the user gave. Raises ``AccessError`` when no cluster is named, or both ways are."""
    if kubeconfig and server:
        raise AccessError("SLW-6101", "both slipway_kubeconfig and slipway_api_server are set", "keep one of the two")
    if kubeconfig:
        return from_kubeconfig(Path(kubeconfig).expanduser(), context)
    if not server:
        raise AccessError(
            "SLW-6101",
            "no cluster address is set",
            "set slipway_kubeconfig, or slipway_api_server with slipway_api_token and slipway_api_ca_file",
        )
    if not server.startswith("https://"):
        raise AccessError("SLW-6101", f"slipway_api_server is not an https:// address: {server!r}")
    if not token:
        raise AccessError("SLW-6101", "slipway_api_server is set, slipway_api_token is not")
    ca_pem = _read(Path(ca_file)) if ca_file else b""
    return Access(server=server, token=token, ca_pem=ca_pem, source="slipway_api_token")


def parse_yaml(path: Path) -> Any:
    """The content of a kubeconfig file. Raises ``AccessError``."""
    try:
        return yaml.safe_load(_read(path))
    except yaml.YAMLError as exc:
        raise AccessError("SLW-6101", f"kubeconfig {path} is not YAML: {exc}") from exc


def from_kubeconfig(path: Path, context: str = "", parse: Callable[[Path], Any] = parse_yaml) -> Access:
    """Read one context (default: the current one) of a kubeconfig file; ``parse`` is for hosts without PyYAML."""
    data = parse(path)
    if not isinstance(data, dict):
        raise AccessError("SLW-6101", f"kubeconfig {path} is not a mapping")
    name = context or data.get("current-context") or ""
    if not name:
        raise AccessError("SLW-6101", f"kubeconfig {path} has no current-context", "set slipway_kube_context")
    ctx = _named(data, "contexts", "context", name, path)
    cluster = _named(data, "clusters", "cluster", str(ctx.get("cluster")), path)
    user = _named(data, "users", "user", str(ctx.get("user")), path)
    base = path.parent
    source = _source(user, str(ctx.get("user")), path)
    if "exec" in user:
        user = {**user, **_exec_credential(user["exec"], path)}
    elif "auth-provider" in user:
        raise AccessError("SLW-6101", f"kubeconfig {path} uses the removed auth-provider", "use an exec credential")
    return Access(
        server=str(cluster.get("server", "")),
        ca_pem=_pem(cluster, "certificate-authority", base),
        token=_token(user, base),
        client_cert_pem=_pem(user, "client-certificate", base),
        client_key_pem=_pem(user, "client-key", base),
        tls_server_name=str(cluster.get("tls-server-name", "")),
        insecure=bool(cluster.get("insecure-skip-tls-verify", False)),
        proxy=str(cluster.get("proxy-url", "")),
        source=source,
        # By its name: another context may be the current one by then.
        again=partial(from_kubeconfig, path, name, parse),
    )


def _source(user: Mapping[str, Any], name: str, path: Path) -> str:
    if "exec" in user:
        return f"what the credential plugin {str(user['exec'].get('command', ''))!r} of {path} gives"
    if user.get("tokenFile") and not user.get("token"):
        return f"the token in {path.parent / str(user['tokenFile'])}"
    if user.get("token"):
        return f"the token of user {name!r} in {path}"
    if user.get("client-certificate") and not user.get("client-certificate-data"):
        return f"the client certificate in {path.parent / str(user['client-certificate'])}"
    return f"the client certificate of user {name!r} in {path}"


def _named(data: Mapping[str, Any], section: str, key: str, name: str, path: Path) -> dict[str, Any]:
    for entry in data.get(section) or []:
        if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get(key), dict):
            return dict(entry[key])
    known = ", ".join(str(e.get("name")) for e in data.get(section) or [] if isinstance(e, dict)) or "none"
    raise AccessError("SLW-6101", f"kubeconfig {path} has no {key} named {name!r}", f"known: {known}")


def _pem(entry: Mapping[str, Any], key: str, base: Path) -> bytes:
    inline = entry.get(f"{key}-data")
    if inline:
        try:
            return base64.b64decode(inline)
        except ValueError as exc:
            raise AccessError("SLW-6101", f"{key}-data of the kubeconfig is not base64") from exc
    return _read(base / str(entry[key])) if entry.get(key) else b""


def _token(user: Mapping[str, Any], base: Path) -> str:
    if user.get("token"):
        return str(user["token"])
    return _read(base / str(user["tokenFile"])).decode().strip() if user.get("tokenFile") else ""


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise AccessError("SLW-6101", f"cannot read {path}: {exc.strerror}") from exc


def _exec_credential(spec: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Run a credential plugin as kubectl does (client.authentication.k8s.io, non-interactive)."""
    info = {
        "apiVersion": spec.get("apiVersion", "client.authentication.k8s.io/v1"),
        "kind": "ExecCredential",
        "spec": {"interactive": False},
    }
    env = {**os.environ, "KUBERNETES_EXEC_INFO": json.dumps(info)}
    env.update({str(e["name"]): str(e["value"]) for e in spec.get("env") or []})
    command = [str(spec.get("command", "")), *[str(a) for a in spec.get("args") or []]]
    try:
        done = subprocess.run(
            command, env=env, cwd=path.parent, capture_output=True, timeout=60, check=True, stdin=subprocess.DEVNULL
        )
        status = json.loads(done.stdout)["status"]
    except subprocess.CalledProcessError as exc:
        # Never the arguments: they may hold a client's secret.
        last = (exc.stderr or b"").decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise AccessError(
            "SLW-6101", f"the credential plugin {command[0]!r} of {path} ended with {exc.returncode}: {last[0]}"
        ) from None
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError) as exc:
        why = "no answer within 60 s" if isinstance(exc, subprocess.TimeoutExpired) else type(exc).__name__
        raise AccessError("SLW-6101", f"the credential plugin {command[0]!r} of {path} failed: {why}") from None
    found: dict[str, Any] = {}
    if status.get("token"):
        found["token"] = status["token"]
    if status.get("clientCertificateData"):
        found["client-certificate-data"] = base64.b64encode(status["clientCertificateData"].encode()).decode()
        found["client-key-data"] = base64.b64encode(status["clientKeyData"].encode()).decode()
    return found
