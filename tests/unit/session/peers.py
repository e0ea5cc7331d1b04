# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A certificate authority in memory, and the messages that an ssh client sends to its agent."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from ansible_collections.slipway.cluster.plugins.module_utils.session import wire
from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import ProviderError
from ansible_collections.slipway.cluster.plugins.module_utils.session.keys import blob_of, public_blob
from ansible_collections.slipway.cluster.plugins.module_utils.session.provider import Request, Signed
from ansible_collections.slipway.cluster.plugins.module_utils.session.wire import string

HOST_KEYS: dict[str, Callable[[], Any]] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}


def certify(
    authority: Any, key: Any, names: tuple[str, ...], *, host: bool = False, life: float = 600, age: float = 30
) -> str:
    """An OpenSSH line: ``key`` (public) certified for ``names``, from ``age`` seconds ago for ``life`` seconds on."""
    kind = serialization.SSHCertificateType.HOST if host else serialization.SSHCertificateType.USER
    now = time.time()
    made = (
        serialization.SSHCertificateBuilder()
        .public_key(key)
        .serial(7)
        .type(kind)
        .key_id(b"test")
        .valid_principals([name.encode() for name in names])
        .valid_after(int(now - age))
        .valid_before(int(now + life))
        .sign(authority)
    )
    return made.public_bytes().decode()


class Authority:
    """A provider. ``answers`` are used up one by one: an error is raised, None means a good certificate."""

    def __init__(self, life: float = 600, *, answers: list[ProviderError | None] | None = None) -> None:
        self.key = ed25519.Ed25519PrivateKey.generate()
        self.life = life
        self.answers = answers or []
        self.asked = 0
        self.clock_ahead = 0.0
        self.principals: tuple[str, ...] | None = None
        self.pause = 0.0

    def sign(self, request: Request) -> Signed:
        self.asked += 1
        time.sleep(self.pause)
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        key = serialization.load_ssh_public_key(request.public_key.encode())
        names = request.principals if self.principals is None else self.principals
        line = certify(self.key, key, names, life=self.life + self.clock_ahead, age=30 - self.clock_ahead)
        return Signed(line, time.time() + self.clock_ahead)

    def host_authorities(self) -> tuple[str, ...]:
        return ()

    def describe(self) -> str:
        return "test"

    def close(self) -> None:
        return


def signature_of(key: Any, data: bytes) -> bytes:
    """As a server signs: RFC 4253 §6.6."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return string(b"ssh-ed25519") + string(key.sign(data))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        bits = key.curve.key_size
        digest = {256: hashes.SHA256(), 384: hashes.SHA384()}[bits]
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(digest)))
        return string(f"ecdsa-sha2-nistp{bits}") + string(_mpint(r) + _mpint(s))
    return string(b"rsa-sha2-512") + string(key.sign(data, padding.PKCS1v15(), hashes.SHA512()))


def _mpint(value: int) -> bytes:
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big"))


def bind(host_key: bytes, session: bytes, signature: bytes, *, forwarded: bool = False) -> bytes:
    payload = string(host_key) + string(session) + string(signature) + bytes([forwarded])
    return bytes([wire.EXTENSION]) + string(b"session-bind@openssh.com") + payload


def login(
    session: bytes, blob: bytes, *, host_key: bytes | None = None, user: bytes = b"root", **other: bytes
) -> bytes:
    """The data that a login has signed; ``other`` replaces parts of it."""
    method = b"publickey" if host_key is None else b"publickey-hostbound-v00@openssh.com"
    parts = {
        "kind": bytes([wire.USERAUTH_REQUEST]),
        "service": string(b"ssh-connection"),
        "method": string(method),
        "signed": b"\x01",
        "algorithm": string(b"ssh-ed25519-cert-v01@openssh.com"),
        **other,
    }
    data = string(session) + parts["kind"] + string(b"root") + parts["service"] + parts["method"] + parts["signed"]
    data += parts["algorithm"] + string(blob)
    return data + (string(host_key) if host_key is not None else b"") + parts.get("more", b"")


def sign_request(blob: bytes, data: bytes, flags: int = 0) -> bytes:
    return bytes([wire.SIGN_REQUEST]) + string(blob) + string(data) + wire.uint32(flags)


class Server:
    """A host with a key, certified or not."""

    def __init__(
        self, authority: Any = None, kind: str = "ed25519", *, life: float = 600, as_host: bool = True
    ) -> None:
        self.key = HOST_KEYS[kind]()
        public = self.key.public_key()
        self.blob = public_blob(public)
        if authority is not None:
            self.blob = blob_of(certify(authority, public, ("node",), host=as_host, life=life))

    def bind(self, session: bytes, *, forwarded: bool = False) -> bytes:
        return bind(self.blob, session, signature_of(self.key, session), forwarded=forwarded)
