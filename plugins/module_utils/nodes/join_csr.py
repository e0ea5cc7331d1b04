# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A certificate request as it stands in the API, read strictly: what is not understood to the last byte is refused."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

with suppress(ImportError):  # the shell names what is missing
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509.oid import NameOID

CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
SERVING = "kubernetes.io/kubelet-serving"
NODE_USER = "system:node:"
NODES_GROUP = "system:nodes"

# One block and nothing beside it: two readers could take two different ones for the request.
_PEM = re.compile(r"-----BEGIN CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE REQUEST-----\s*")


class UnreadableError(Exception):
    """The request is not what a kubelet writes. The text says why."""


@dataclass(frozen=True)
class Parsed:
    """``name`` is the node's; ``key`` a digest of the public key. The others are the request's alternative names."""

    name: str
    key: str
    names: frozenset[str]
    addresses: frozenset[str]


@dataclass(frozen=True)
class Request:
    """A request of the API. ``decided`` is its condition ``Approved`` or ``Denied``, empty while it has none."""

    name: str
    user: str
    signer: str
    usages: frozenset[str]
    text: str
    decided: str = ""


def request(body: Mapping[str, Any]) -> Request:
    """From the object of the API."""
    spec, status = body["spec"], body.get("status") or {}
    kinds = {condition.get("type") for condition in status.get("conditions") or []}
    return Request(
        name=str(body["metadata"]["name"]),
        user=str(spec.get("username", "")),
        signer=str(spec.get("signerName", "")),
        usages=frozenset(spec.get("usages") or []),
        text=str(spec.get("request", "")),
        decided=next((kind for kind in ("Denied", "Approved") if kind in kinds), ""),
    )


def parse(text: str) -> Parsed:
    """The request itself, base64 of PEM. Raises ``UnreadableError``."""
    try:
        pem = base64.b64decode(text, validate=True).decode("ascii")
        block = _PEM.fullmatch(pem)
        if block is None:
            raise UnreadableError("it is not exactly one CERTIFICATE REQUEST")
        found = x509.load_der_x509_csr(base64.b64decode(re.sub(r"\s", "", block[1]), validate=True))
        signed = found.is_signature_valid
        key = found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        alternatives = _alternatives(found)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as exc:
        raise UnreadableError(f"it cannot be read: {exc}") from exc
    if not signed:
        raise UnreadableError("whoever wrote it does not have its key")
    subject = [(one.oid, one.value) for one in found.subject]
    groups = [value for oid, value in subject if oid == NameOID.ORGANIZATION_NAME]
    users = [value for oid, value in subject if oid == NameOID.COMMON_NAME]
    if len(subject) != 2 or groups != [NODES_GROUP] or len(users) != 1 or not str(users[0]).startswith(NODE_USER):
        raise UnreadableError(
            f"its subject is not O={NODES_GROUP}, CN={NODE_USER}NAME: {found.subject.rfc4514_string()}"
        )
    names, addresses = alternatives
    return Parsed(str(users[0])[len(NODE_USER) :], hashlib.sha256(key).hexdigest(), names, addresses)


def _alternatives(found: x509.CertificateSigningRequest) -> tuple[frozenset[str], frozenset[str]]:
    """DNS names and addresses. Raises ``UnreadableError`` for any other wish."""
    names: set[str] = set()
    addresses: set[str] = set()
    for extension in found.extensions:
        if not isinstance(extension.value, x509.SubjectAlternativeName):
            raise UnreadableError(f"it asks for the extension {extension.oid.dotted_string}")
        for one in extension.value:
            if isinstance(one, x509.DNSName):
                names.add(one.value)
            elif isinstance(one, x509.IPAddress):
                addresses.add(str(one.value))
            else:
                raise UnreadableError(f"it asks for an alternative name that no node has: {one!r}")
    return frozenset(names), frozenset(addresses)
