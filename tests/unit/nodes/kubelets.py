# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Certificate requests as kubelets write them, and as others would."""

from __future__ import annotations

import base64
import ipaddress
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_csr import CLIENT, SERVING

Json = dict[str, Any]
CLIENT_USAGES = ["digital signature", "client auth"]
SERVING_USAGES = ["digital signature", "server auth"]


@cache
def key(label: str) -> ec.EllipticCurvePrivateKey:
    """One for each label."""
    return ec.generate_private_key(ec.SECP256R1())


def pem(
    name: str,
    *,
    of: str = "",
    groups: tuple[str, ...] = ("system:nodes",),
    more: tuple[x509.NameAttribute[str], ...] = (),
    names: tuple[str, ...] = (),
    addresses: tuple[str, ...] = (),
    ca: bool = False,
) -> str:
    """``name`` is the common name whole. ``of`` labels the key."""
    subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject += [x509.NameAttribute(NameOID.COMMON_NAME, name), *more]
    asked = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    wished: list[x509.GeneralName] = [x509.DNSName(one) for one in names]
    wished += [x509.IPAddress(ipaddress.ip_address(one)) for one in addresses]
    if wished:
        asked = asked.add_extension(x509.SubjectAlternativeName(wished), critical=False)
    if ca:
        asked = asked.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = asked.sign(key(of or name), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def client_body(name: str, text: str, user: str = "system:bootstrap:abcdef", **spec: Any) -> Json:
    """An object of the API. ``name`` is its own."""
    wanted = {"signerName": CLIENT, "usages": [*CLIENT_USAGES], "username": user, "request": coded(text), **spec}
    return {"metadata": {"name": name, "uid": f"uid-{name}"}, "spec": wanted, "status": {}}


def serving_body(name: str, node: str, text: str, **spec: Any) -> Json:
    usual = {"signerName": SERVING, "usages": [*SERVING_USAGES]}
    return client_body(name, text, f"system:node:{node}", **{**usual, **spec})
