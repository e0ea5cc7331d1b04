# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What an OpenSSH key or certificate says, read from its public text. Nothing is verified here; sshd does that."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from .errors import TrustError

# How many strings of the key itself stand between the nonce and the serial number.
_PARTS = {
    "ssh-ed25519": 1,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "ssh-rsa": 2,
    "sk-ssh-ed25519@openssh.com": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
    "ssh-dss": 4,
}
_CERTIFICATE = "-cert-v01@openssh.com"
FOR_EVER = (1 << 64) - 1


@dataclass(frozen=True)
class Key:
    """A public key: ``kind`` is its type's name, ``text`` the type and the base64 blob without comment."""

    kind: str
    text: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """``SHA256:…``, as ssh-keygen prints it."""
        return fingerprint(self.blob)

    @property
    def is_certificate(self) -> bool:
        return self.kind.endswith(_CERTIFICATE)


@dataclass(frozen=True)
class Certificate:
    """``valid_after`` and ``valid_before`` are seconds since the epoch; ``authority`` and ``key`` are fingerprints."""

    kind: str
    serial: int
    for_hosts: bool
    key_id: str
    principals: tuple[str, ...]
    valid_after: int
    valid_before: int
    key: str
    authority: str

    def describe(self) -> str:
        return f"certificate {self.serial} ({self.key_id!r}) of the authority {self.authority}"


def fingerprint(blob: bytes) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def parse_key(line: str) -> Key:
    """The key in an OpenSSH line ``type base64 [comment]``. Raises ``TrustError`` SLW-7315."""
    fields = line.split()
    try:
        kind, text = fields[0], fields[1]
        blob = base64.b64decode(text, validate=True)
        named, _rest = _string(blob)
    except (IndexError, binascii.Error, ValueError) as exc:
        raise _bad(line) from exc
    if named.decode("utf-8", "replace") != kind:
        raise _bad(line)
    return Key(kind, f"{kind} {text}", blob)


def parse_certificate(line: str) -> Certificate:
    """What stands in a certificate, given as an OpenSSH line. Raises ``TrustError`` SLW-7315."""
    key = parse_key(line)
    try:
        return _certificate(key)
    except (ValueError, KeyError) as exc:
        raise _bad(line) from exc


def _certificate(key: Key) -> Certificate:
    plain = key.kind.replace("-cert-v01@openssh.com", "@openssh.com" if key.kind.startswith("sk-") else "")
    parts = _PARTS[plain]
    if not key.is_certificate:
        raise ValueError("no certificate")
    _kind, rest = _string(key.blob)
    _nonce, rest = _string(rest)
    own = _packed(plain.encode())
    for _number in range(parts):
        part, rest = _string(rest)
        own += _packed(part)
    serial, rest = _number_of(rest, 8)
    use, rest = _number_of(rest, 4)
    key_id, rest = _string(rest)
    names, rest = _string(rest)
    after, rest = _number_of(rest, 8)
    before, rest = _number_of(rest, 8)
    for _field in ("critical options", "extensions", "reserved"):
        _skipped, rest = _string(rest)
    authority, _signature = _string(rest)
    principals = []
    while names:
        name, names = _string(names)
        principals.append(name.decode("utf-8", "replace"))
    return Certificate(
        kind=key.kind,
        serial=serial,
        for_hosts=use == 2,
        key_id=key_id.decode("utf-8", "replace"),
        principals=tuple(principals),
        valid_after=after,
        valid_before=before,
        key=fingerprint(own),
        authority=fingerprint(authority),
    )


def _string(data: bytes) -> tuple[bytes, bytes]:
    length, rest = _number_of(data, 4)
    if length > len(rest):
        raise ValueError("truncated")
    return rest[:length], rest[length:]


def _number_of(data: bytes, size: int) -> tuple[int, bytes]:
    if len(data) < size:
        raise ValueError("truncated")
    return int.from_bytes(data[:size], "big"), data[size:]


def _packed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _bad(line: str) -> TrustError:
    return TrustError(
        "SLW-7315", f"{line[:60]!r} is no OpenSSH key", "give a public key as one line: type, base64, comment"
    )
