# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Keys of the hosts: host keys of each type, the static key of bare hosts, and an authority that nobody trusts."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import ssh

from lab import paths

Key = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def generate(kind: str) -> Key:
    """Make a key of type ``ed25519``, ``ecdsa`` or ``rsa``."""
    match kind:
        case "ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case "ecdsa":
            return ec.generate_private_key(ec.SECP256R1())
        case "rsa":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    raise ValueError(kind)


def public_text(key: Key) -> str:
    """The public key as one line of ``authorized_keys``, without a comment."""
    form = (serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return key.public_key().public_bytes(*form).decode()


def write(path: Path, key: Key, comment: str) -> str:
    """Write the private key to ``path`` and the public one beside it; return the public one."""
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    paths.write_private(path, key.private_bytes(*form).decode())
    public = public_text(key)
    path.with_name(f"{path.name}.pub").write_text(f"{public} {comment}\n")
    return public


def certify_by_nobody(public_key: str, names: list[str]) -> str:
    """A host certificate by an authority that was made for this moment."""
    parsed = serialization.load_ssh_public_key(public_key.encode())
    assert isinstance(parsed, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    builder = (
        ssh.SSHCertificateBuilder()
        .public_key(parsed)
        .type(ssh.SSHCertificateType.HOST)
        .serial(1)
        .key_id(b"foreign")
        .valid_principals([name.encode() for name in names])
        .valid_after(0)
        .valid_before(2**64 - 1)
    )
    return builder.sign(ed25519.Ed25519PrivateKey.generate()).public_bytes().decode()
