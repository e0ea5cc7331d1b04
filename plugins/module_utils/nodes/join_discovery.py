# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a new node has to know of the cluster before it trusts it: where it is, and a hash of its authority."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

with suppress(ImportError):  # the shell names what is missing
    import yaml
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ..kube.client import Client
from ..kube.node import accounts as a
from .problem import NodesError, Problem

INFO = "/api/v1/namespaces/kube-public/configmaps/cluster-info"
ANONYMOUS = f"{a.RBAC}/namespaces/kube-public/rolebindings/kubeadm:bootstrap-signer-clusterinfo"
_SIGNED_WITHIN = 15.0
_PAUSE = 0.1


@dataclass(frozen=True)
class Discovery:
    """``endpoint`` is host:port, as the cluster says it of itself; ``ca_hash`` as ``kubeadm join`` takes it."""

    endpoint: str
    ca_hash: str


def discover(client: Client) -> Discovery:
    """Raises ``NodesError`` SLW-8705 where joins by a token cannot work, and ``KubeError``."""
    info = client.get(INFO)
    if info is None:
        raise _unfit("there is no ConfigMap kube-public/cluster-info, by which new nodes get to know the cluster")
    if client.get(ANONYMOUS) is None:
        raise _unfit("nobody may read kube-public/cluster-info without a login (remove_anonymous_access)")
    try:
        cluster = yaml.safe_load(info["data"]["kubeconfig"])["clusters"][0]["cluster"]
        address = urlsplit(str(cluster["server"]))
        authority = x509.load_pem_x509_certificate(base64.b64decode(cluster["certificate-authority-data"]))
        port = address.port or 443
    except (KeyError, IndexError, TypeError, ValueError, yaml.YAMLError) as exc:
        raise _unfit(f"kube-public/cluster-info does not describe the cluster: {exc}") from exc
    host = address.hostname or ""
    key = authority.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    named = f"[{host}]" if ":" in host else host
    return Discovery(f"{named}:{port}", "sha256:" + hashlib.sha256(key).hexdigest())


def until_signed(client: Client, token_id: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait until the description bears a signature for the token: nodes that come before look again seconds later.
    Raises ``NodesError`` SLW-8705 when nobody signs it."""
    deadline = time.monotonic() + _SIGNED_WITHIN
    while f"jws-kubeconfig-{token_id}" not in ((client.get(INFO) or {}).get("data") or {}):
        if time.monotonic() > deadline:
            raise _unfit(
                f"within {_SIGNED_WITHIN:.0f} s nobody signed kube-public/cluster-info for the token: "
                "kube-controller-manager runs without its controller bootstrapsigner"
            )
        sleep(_PAUSE)


def _unfit(message: str) -> NodesError:
    remedy = "add the node with slipway.cluster.scale over SSH instead"
    return NodesError([Problem("SLW-8705", f"the cluster does not take nodes by a token: {message}", remedy)])
