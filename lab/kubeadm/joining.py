# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A node joins with nothing but a token, against the real API server, by the steps of ``kubeadm join``."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.api import Api
from lab.errors import LabError
from lab.paths import write_private

INFO = "/api/v1/namespaces/kube-public/configmaps/cluster-info"
CONFIG = "/api/v1/namespaces/kube-system/configmaps/kubeadm-config"
KUBELET_CONFIG = "/api/v1/namespaces/kube-system/configmaps/kubelet-config"
REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
SIGNER = "kubernetes.io/kube-apiserver-client-kubelet"
# The signatures and certificates are made by controllers, some moments after they were asked for.
PATIENCE = 10.0


@dataclass(frozen=True)
class Joiner:
    """One node on its way into the cluster. ``folder`` is where its key and certificate go, ``pki`` where the
    cluster's ``ca.crt`` is. ``patience`` is how many seconds it waits for its certificate."""

    port: int
    pki: Path
    folder: Path
    name: str
    patience: float = PATIENCE

    def certificate(self, token: str) -> None:
        """Get the node's certificate for a bootstrap token.

        :raises LabError: when the token is unknown, over, or may not do this.
        """
        self._trust(token)
        api = Api(self.port, self.pki, None, token=token)
        try:
            api.need("GET", CONFIG)
            api.need("GET", KUBELET_CONFIG)
            status, found = api.call("GET", f"/api/v1/nodes/{self.name}")
            if status == 200 and _ready(found):
                raise LabError(f"a Node with name {self.name!r} and status Ready already exists in the cluster")
            self._sign(api)
        finally:
            api.close()

    def register(self, node: dict[str, Any]) -> None:
        """Make the Node object, as the node itself."""
        api = Api(self.port, self.pki, self.name, keys=self.folder)
        try:
            status, _found = api.call("POST", "/api/v1/nodes", node)
            if status == 409:
                api.need("PATCH", f"/api/v1/nodes/{self.name}/status", {"status": node["status"]})
            elif status != 201:
                raise LabError(f"the node could not register: {status} {_found}")
        finally:
            api.close()

    def _trust(self, token: str) -> None:
        """Believe the cluster's own description only when whoever signed it knows the token."""
        identity = token.partition(".")[0]
        api = Api(self.port, self.pki, None)
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                data = api.need("GET", INFO)["data"]
                signature = data.get(f"jws-kubeconfig-{identity}", "")
                if signature or time.monotonic() > deadline:
                    break
                time.sleep(0.1)
        finally:
            api.close()
        verify(data, token)

    def _sign(self, api: Api) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:nodes"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"system:node:{self.name}"),
        ]
        asked = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject)).sign(key, hashes.SHA256())
        body = {
            "metadata": {"name": f"node-csr-{self.name}-{secrets.token_hex(4)}"},
            "spec": {
                "request": base64.b64encode(asked.public_bytes(serialization.Encoding.PEM)).decode(),
                "signerName": SIGNER,
                "usages": ["digital signature", "client auth"],
            },
        }
        made = api.need("POST", REQUESTS, body)
        deadline = time.monotonic() + self.patience
        while not made.get("status", {}).get("certificate"):
            for one in made.get("status", {}).get("conditions", []):
                if one["type"] == "Denied":
                    raise LabError(f"the request for {self.name}'s certificate was denied: {one['message']}")
            if time.monotonic() > deadline:
                raise LabError(f"no certificate for {self.name}: {made.get('status', {}).get('conditions', 'pending')}")
            time.sleep(0.05)
            made = api.need("GET", f"{REQUESTS}/{made['metadata']['name']}")
        self.folder.mkdir(mode=0o700, exist_ok=True)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_private(self.folder / f"{self.name}.key", private.decode())
        (self.folder / f"{self.name}.crt").write_bytes(base64.b64decode(made["status"]["certificate"]))


def verify(data: dict[str, str], token: str) -> None:
    """Whoever signed the data of cluster-info knows the token.

    :raises LabError: when nobody did.
    """
    identity, _, secret = token.partition(".")
    signature = data.get(f"jws-kubeconfig-{identity}", "")
    if not signature:
        raise LabError(f"could not find a JWS signature in the cluster-info ConfigMap for token ID {identity!r}")
    header, _, mark = signature.rpartition("..")
    payload = f"{header}.{_base64(data['kubeconfig'].encode())}".encode()
    if not hmac.compare_digest(mark, _base64(hmac.digest(secret.encode(), payload, hashlib.sha256))):
        raise LabError(f"failed to verify JWS signature of received cluster info object for token ID {identity!r}")


def _ready(node: dict[str, Any]) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"].get("conditions", []))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
