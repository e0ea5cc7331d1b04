# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""JSON web keys and tokens, as far as a provisioner of step-ca needs them: open a private key, sign a token."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

with suppress(ImportError):  # the shell names what is missing
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
    from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

# More would only keep us busy: step's own keys have 600,000.
_MOST_ROUNDS = 10_000_000
# What a thumbprint is made of (RFC 7638).
_MEMBERS = {"EC": ("crv", "x", "y"), "RSA": ("e", "n"), "OKP": ("crv", "x")}


class JoseError(ValueError):
    """Says in words what is wrong, and never shows a part of the key."""


@dataclass(frozen=True)
class SigningKey:
    """A private key with the name that the authority knows it by."""

    kid: str
    _key: Any = field(repr=False)
    _algorithm: str

    @staticmethod
    def of(jwk: Mapping[str, Any]) -> SigningKey:
        """Raises ``JoseError`` for anything but a private key of a kind that signs."""
        kind = jwk.get("kty")
        if not isinstance(kind, str) or kind not in _MEMBERS:
            raise JoseError("its kty is none of EC, RSA, OKP")
        if not isinstance(jwk.get("d"), str):
            raise JoseError("it holds no private part (d)")
        try:
            key, algorithm = _READERS[kind](jwk)
        except (KeyError, TypeError, ValueError) as exc:
            # The library's words may quote numbers of the key.
            raise JoseError(f"it is no valid {kind} key") from exc
        return SigningKey(str(jwk.get("kid") or _thumbprint(jwk)), key, algorithm)

    def token(self, claims: Mapping[str, Any]) -> str:
        """A signed JSON web token."""
        head = {"alg": self._algorithm, "kid": self.kid, "typ": "JWT"}
        text = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
        return f"{text}.{_encoded(self._signature(text.encode()))}"

    def _signature(self, data: bytes) -> bytes:
        key = self._key
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return key.sign(data)
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        size = (key.curve.key_size + 7) // 8
        digest = {32: hashes.SHA256(), 48: hashes.SHA384(), 66: hashes.SHA512()}[size]
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(digest)))
        return bytes(r.to_bytes(size, "big") + s.to_bytes(size, "big"))


def private_jwk(text: str, password: str) -> tuple[SigningKey, bool]:
    """The key in a JWK, or in an encrypted one (as ``step crypto jwk create`` writes it), and whether it was encrypted.

    Raises ``JoseError``.
    """
    parts = _parts(text)
    if parts is None:
        return SigningKey.of(_object(text.encode())), False
    if not password:
        raise JoseError("it is encrypted, and no password is given")
    return SigningKey.of(_object(_decrypted(parts, password.encode()))), True


def _parts(text: str) -> list[str] | None:
    """The five parts of an encrypted object in either of its forms."""
    if text.count(".") == 4 and not text.lstrip().startswith("{"):
        return text.strip().split(".")
    with suppress(JoseError):
        data = _object(text.encode())
        names = ("protected", "encrypted_key", "iv", "ciphertext", "tag")
        if "ciphertext" in data:
            return [str(data.get(name) or "") for name in names]
    return None


def _decrypted(parts: list[str], password: bytes) -> bytes:
    try:
        protected, wrapped, iv, ciphertext, tag = parts
        head = _object(_decoded(protected))
        if head.get("alg") != "PBES2-HS256+A128KW" or head.get("enc") != "A256GCM":
            raise JoseError("it is encrypted in a way that step does not use")
        rounds = head.get("p2c")
        if not isinstance(rounds, int) or not 0 < rounds <= _MOST_ROUNDS:
            raise JoseError("it is encrypted with an unlikely number of rounds")
        salt = b"PBES2-HS256+A128KW\x00" + _decoded(str(head.get("p2s")))
        kek = PBKDF2HMAC(hashes.SHA256(), 16, salt, rounds).derive(password)
        content_key = aes_key_unwrap(kek, _decoded(wrapped))
        return AESGCM(content_key).decrypt(_decoded(iv), _decoded(ciphertext) + _decoded(tag), protected.encode())
    except (InvalidUnwrap, InvalidTag) as exc:
        raise JoseError("the password does not open it") from exc
    except JoseError:
        raise
    except ValueError as exc:
        raise JoseError("it is damaged") from exc


def _object(data: bytes) -> dict[str, Any]:
    found = None
    # Not chained to the error: that one keeps what it was given.
    with suppress(ValueError):
        found = json.loads(data)
    if not isinstance(found, dict):
        raise JoseError("it is no JSON object")
    return found


def _ec(jwk: Mapping[str, Any]) -> tuple[Any, str]:
    curves = {
        "P-256": (ec.SECP256R1(), "ES256"),
        "P-384": (ec.SECP384R1(), "ES384"),
        "P-521": (ec.SECP521R1(), "ES512"),
    }
    curve, algorithm = curves[jwk["crv"]]
    x, y, d = (_number(jwk[name]) for name in ("x", "y", "d"))
    return ec.EllipticCurvePrivateNumbers(d, ec.EllipticCurvePublicNumbers(x, y, curve)).private_key(), algorithm


def _rsa(jwk: Mapping[str, Any]) -> tuple[Any, str]:
    n, e, d = (_number(jwk[name]) for name in ("n", "e", "d"))
    p, q = rsa.rsa_recover_prime_factors(n, e, d)
    public = rsa.RSAPublicNumbers(e, n)
    more = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    return rsa.RSAPrivateNumbers(p, q, d, *more, public).private_key(), "RS256"


def _okp(jwk: Mapping[str, Any]) -> tuple[Any, str]:
    if jwk["crv"] != "Ed25519":
        raise ValueError("curve")
    return ed25519.Ed25519PrivateKey.from_private_bytes(_decoded(jwk["d"])), "EdDSA"


_READERS = {"EC": _ec, "RSA": _rsa, "OKP": _okp}


def _thumbprint(jwk: Mapping[str, Any]) -> str:
    members = {name: jwk[name] for name in sorted((*_MEMBERS[jwk["kty"]], "kty"))}
    return _encoded(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def _number(text: str) -> int:
    return int.from_bytes(_decoded(text), "big")


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
