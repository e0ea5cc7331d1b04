# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""When certificates and tokens of a cluster end, as far as its API and our rights tell. Nothing secret is kept."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .access import Access
from .certificates import UnreadableError, authorities, client_end, served_end
from .client import Client
from .errors import ApiError, KubeError
from .node.accounts import EXPIRES, INSTALLER, LABEL_ACCESS, LABEL_RECORD, READER, RECORD
from .objects import Json
from .sessions import token_end

CERTIFICATE, TOKEN = "certificate", "token"
RIGHTS = "unverified (rights)"
ENDLESS = "has no end"

_BOOTSTRAP = "bootstrap.kubernetes.io/token"
_INFO = "/api/v1/namespaces/kube-public/configmaps/cluster-info"
_SIGNED = "jws-kubeconfig-"
_AUTHENTICATION = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"


@dataclass(frozen=True)
class Life:
    """``kind`` is ``certificate`` or ``token``. Without ``ends`` the ``note`` says why."""

    kind: str
    name: str
    ends: datetime | None = None
    note: str = ""


def lives(client: Client, access: Access, *, access_namespace: str) -> list[Life]:
    """All that can be told, what ends first at the top. ``access_namespace`` is that of our accounts. Raises
    ``KubeError`` for anything but a missing right."""
    found = [
        *_certificates(client, access),
        *_own(access),
        *_join_tokens(client, access),
        *_runs(client, access_namespace),
    ]
    never = datetime.max.replace(tzinfo=UTC)
    return sorted(found, key=lambda life: (life.ends or never, life.kind, life.name))


def _certificates(client: Client, access: Access) -> Iterator[Life]:
    try:
        yield Life(CERTIFICATE, "API server", served_end(access))
    except UnreadableError as exc:
        yield Life(CERTIFICATE, "API server", note=f"unverified ({exc})")
    if access.ca_pem:
        yield from _of("cluster CA", access.ca_pem.decode(errors="replace"))
    try:
        data = (client.get(_AUTHENTICATION) or {}).get("data") or {}
    except ApiError as exc:
        if exc.status != 403:
            raise
        yield Life(CERTIFICATE, "front proxy CA", note=RIGHTS)
        return
    if data.get("requestheader-client-ca-file"):
        yield from _of("front proxy CA", data["requestheader-client-ca-file"])


def _of(name: str, pem: str) -> Iterator[Life]:
    """A bundle may hold several: the old authority beside the new one."""
    try:
        ends = authorities(pem)
    except UnreadableError as exc:
        yield Life(CERTIFICATE, name, note=f"unverified ({exc})")
        return
    yield from (Life(CERTIFICATE, name, end) for end in ends)


def _own(access: Access) -> Iterator[Life]:
    """What we were given to look with. A credential that is renewed by itself is nobody's concern."""
    if not math.isinf(access.renew_at):
        return
    if access.client_cert_pem:
        with suppress(UnreadableError):
            yield Life(CERTIFICATE, "client certificate of this look", client_end(access.client_cert_pem))
    elif access.token:
        end = token_end(access.token)
        yield Life(TOKEN, "API token of this look", end, "" if end else "does not say when it ends")


def _join_tokens(client: Client, access: Access) -> Iterator[Life]:
    try:
        secrets = client.list("/api/v1/namespaces/kube-system/secrets", {"fieldSelector": f"type={_BOOTSTRAP}"})
    except ApiError as exc:
        if exc.status != 403:
            raise
        yield from _signed_for(access)
        return
    for secret in secrets:
        data = secret.get("data") or {}
        name = f"join token {_text(data.get('token-id'))}"
        end = _moment(_text(data.get("expiration")))
        yield Life(TOKEN, name, end, "" if end else ENDLESS)


def _signed_for(access: Access) -> Iterator[Life]:
    """For which tokens the cluster's address is signed: those that nodes can join by. Whoever has no credential may
    read it, as a node that joins has none, and nobody else."""
    nobody = replace(access, token="", client_cert_pem=b"", client_key_pem=b"", again=None, renew_at=math.inf)
    client = Client(nobody, user_agent="slipway (status)", patience=0.0)
    try:
        data = (client.get(_INFO) or {}).get("data") or {}
    except KubeError:
        yield Life(TOKEN, "join tokens", note=RIGHTS)
        return
    finally:
        client.close()
    for key in sorted(data):
        if key.startswith(_SIGNED):
            yield Life(TOKEN, f"join token {key.removeprefix(_SIGNED)}", note=f"end {RIGHTS}")


def _runs(client: Client, namespace: str) -> Iterator[Life]:
    """Rights that runs have, or have left: they say themselves until when they hold."""
    bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    for path, access, name in ((bindings, INSTALLER, "installer of a run"), (secrets, READER, "reader of a run")):
        selector = {"labelSelector": f"{LABEL_RECORD}={RECORD},{LABEL_ACCESS}={access}"}
        try:
            found = client.list(path, selector, metadata=True)
        except ApiError as exc:
            if exc.status != 403:
                raise
            yield Life(TOKEN, f"{name.partition(' ')[0]} tokens of runs", note=RIGHTS)
            continue
        yield from (_run(item, name) for item in found if EXPIRES in (item["metadata"].get("annotations") or {}))


def _run(item: Json, name: str) -> Life:
    meta = item["metadata"]
    end = _moment(meta["annotations"][EXPIRES])
    return Life(TOKEN, f"{name}: {meta['name']}", end, "" if end else "does not say when it ends")


def _text(encoded: object) -> str:
    try:
        return base64.b64decode(str(encoded or "")).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
