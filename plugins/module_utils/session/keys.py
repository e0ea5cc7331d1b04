# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Public keys, certificates and signatures as SSH writes them. The mathematics is that of ``cryptography``."""

from __future__ import annotations

import base64
import binascii
import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .wire import Reader, WireError

with suppress(ImportError):  # the launcher names what is missing
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

_FOREVER = 2**64 - 1


class KeyFormatError(ValueError):
    """Not a key, not a certificate, or one of a kind that is not known here."""


@dataclass(frozen=True)
class Certificate:
    """What a certificate says. Times are seconds since the epoch, by the clock of who signed it."""

    blob: bytes = field(repr=False)
    key: Any = field(repr=False)
    host: bool
    serial: int
    key_id: str
    principals: tuple[str, ...]
    valid_after: int
    valid_before: int
    authority: bytes = field(repr=False)
    """The blob of the key that signed it."""


def blob_of(line: str) -> bytes:
    """The key in an OpenSSH line (``type base64 comment``). Raises ``KeyFormatError``."""
    parts = line.split()
    if len(parts) < 2:
        raise KeyFormatError("not an OpenSSH public key: a type and base64 are expected")
    try:
        blob = base64.b64decode(parts[1], validate=True)
        named = Reader(blob).string()
    except (binascii.Error, ValueError) as exc:
        raise KeyFormatError("not an OpenSSH public key: its base64 cannot be read") from exc
    if named != parts[0].encode():
        raise KeyFormatError(f"not an OpenSSH public key: it says {parts[0]} and is {named.decode(errors='replace')}")
    return blob


def line_of(blob: bytes, comment: str = "") -> str:
    name = Reader(blob).string().decode("ascii", errors="replace")
    return f"{name} {base64.b64encode(blob).decode()} {comment}".rstrip()


def fingerprint(blob: bytes) -> str:
    """As OpenSSH shows it: ``SHA256:…``."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def public_blob(key: Any) -> bytes:
    """The blob of a public key of ``cryptography``."""
    line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return blob_of(line.decode())


def load(blob: bytes) -> Certificate | Any:
    """A certificate, or a plain public key as ``cryptography`` has it. Raises ``KeyFormatError``."""
    try:
        found = serialization.load_ssh_public_identity(line_of(blob).encode())
        if not isinstance(found, serialization.SSHCertificate):
            return found
        found.verify_cert_signature()
        return Certificate(
            blob=blob,
            key=found.public_key(),
            host=found.type is serialization.SSHCertificateType.HOST,
            serial=found.serial,
            key_id=found.key_id.decode(errors="replace"),
            principals=tuple(p.decode(errors="replace") for p in found.valid_principals),
            valid_after=found.valid_after,
            valid_before=min(found.valid_before, _FOREVER),
            authority=public_blob(found.signature_key()),
        )
    except InvalidSignature as exc:
        raise KeyFormatError("the certificate's signature is not that of its authority") from exc
    except (ValueError, TypeError, UnsupportedAlgorithm, WireError) as exc:
        raise KeyFormatError(f"unknown kind of key or certificate: {exc}") from exc


def verify(key: Any, signature: bytes, data: bytes) -> None:
    """Raises ``KeyFormatError`` when ``signature`` is not that of ``key`` (RFC 4253 §6.6, 5656, 8332, 8709)."""
    try:
        reader = Reader(signature)
        algorithm, raw = reader.string(), reader.string()
        reader.end()
        if isinstance(key, ed25519.Ed25519PublicKey) and algorithm == b"ssh-ed25519":
            key.verify(raw, data)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm in _CURVES:
            curve, digest = _CURVES[algorithm]
            if key.curve.name != curve:
                raise KeyFormatError("signature of another curve")
            numbers = Reader(raw)
            encoded = encode_dss_signature(numbers.mpint(), numbers.mpint())
            numbers.end()
            key.verify(encoded, data, ec.ECDSA(getattr(hashes, digest)()))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm in _RSA:
            key.verify(raw, data, padding.PKCS1v15(), getattr(hashes, _RSA[algorithm])())
        else:
            raise KeyFormatError(f"signature of an unknown kind: {algorithm.decode(errors='replace')}")
    except (InvalidSignature, WireError) as exc:
        raise KeyFormatError("signature does not match") from exc


# SHA-1 (``ssh-rsa``) is not among them: OpenSSH has not accepted it since 8.8.
_RSA = {b"rsa-sha2-256": "SHA256", b"rsa-sha2-512": "SHA512"}
_CURVES = {
    b"ecdsa-sha2-nistp256": ("secp256r1", "SHA256"),
    b"ecdsa-sha2-nistp384": ("secp384r1", "SHA384"),
    b"ecdsa-sha2-nistp521": ("secp521r1", "SHA512"),
}
