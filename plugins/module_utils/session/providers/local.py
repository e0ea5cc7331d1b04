# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A certificate authority in a file on the controller: for lab and trial, as whoever has the file has all hosts."""

from __future__ import annotations

import os
import pwd
import secrets as random
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Union

with suppress(ImportError):  # the shell names what is missing
    from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import (
        SSHCertificateBuilder,
        SSHCertificateType,
        load_pem_private_key,
        load_ssh_private_key,
        load_ssh_public_key,
    )

from ..errors import ProviderError, SettingsError
from ..provider import Kind, Request, Signed, Wanted
from . import checking as c
from .http import reason

AuthorityKey = Union["ed25519.Ed25519PrivateKey", "ec.EllipticCurvePrivateKey", "rsa.RSAPrivateKey"]

# Clocks of hosts may be behind ours by so much.
BACKDATED = 30
_LIMIT = 1 << 16
_RSA_BITS = 2048

_PASSPHRASE = Wanted("passphrase", ("SLIPWAY_CA_PASSPHRASE",), "passphrase_fd")
_WHERE = "set SLIPWAY_CA_PASSPHRASE, or passphrase_fd"
_RULES: dict[str, c.Rule] = {
    "key_file": c.path,
    "passphrase_fd": c.descriptor,
    "host_ca": c.path,
    "port_forwarding": c.flag,
}
_SECRETS = {"passphrase": _WHERE, "key": "name an encrypted file by key_file", "passphrase_file": _WHERE}


class Local:
    def __init__(self, key: AuthorityKey, path: Path, host_ca: str, *, port_forwarding: bool) -> None:
        self._key = key
        self._path = path
        self._host_ca = host_ca
        self._port_forwarding = port_forwarding
        user = pwd.getpwuid(os.getuid()).pw_name
        self._key_id = f"local/{user}@{os.uname().nodename}/{random.token_hex(4)}"

    def sign(self, request: Request) -> Signed:
        if not request.principals:
            raise ProviderError(
                "SLW-7121", f"{self._path} signs only for named principals", "name at least one principal"
            )
        now = time.time()
        builder = (
            SSHCertificateBuilder()
            .serial(random.randbits(64))
            .type(SSHCertificateType.USER)
            .key_id(self._key_id.encode())
            .valid_principals([name.encode() for name in request.principals])
            .valid_after(int(now) - BACKDATED)
            .valid_before(int(now) + request.ttl)
        )
        if self._port_forwarding:
            builder = builder.add_extension(b"permit-port-forwarding", b"")
        try:
            public = load_ssh_public_key(request.public_key.encode())
            certificate = builder.public_key(public).sign(self._key)  # type: ignore[arg-type]
        except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
            raise ProviderError(
                "SLW-7124", f"{self._path} does not sign this key: {reason(exc)}", "keys of a session are Ed25519"
            ) from exc
        return Signed(certificate.public_bytes().decode(), now)

    def host_authorities(self) -> tuple[str, ...]:
        if not self._host_ca:
            return ()
        path = Path(self._host_ca).expanduser()
        try:
            lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
            keys = tuple(line for line in lines if line and not line.startswith("#"))
            for key in keys:
                load_ssh_public_key(key.encode())
        except (OSError, ValueError, UnsupportedAlgorithm) as exc:
            raise ProviderError(
                "SLW-7130",
                f"the host authorities in {path} cannot be used: {reason(exc)}",
                "host_ca names a file of public keys in OpenSSH's form, one a line",
            ) from exc
        return keys

    def describe(self) -> str:
        return f"CA key {self._path}, for lab and trial only"

    def close(self) -> None:
        """Nothing was obtained."""


def check(options: Mapping[str, Any]) -> list[c.Problem]:
    found = c.problems(options, _RULES, _SECRETS)
    if not options.get("key_file"):
        found.append(("key_file", "is missing: the CA's private key, encrypted (ssh-keygen -t ed25519 -f FILE)"))
    return found


def secrets(options: Mapping[str, Any]) -> tuple[Wanted, ...]:
    return (_PASSPHRASE,)


def create(options: Mapping[str, Any], given: Mapping[str, str]) -> Local:
    """Reads and opens the key. Raises ``SettingsError``."""
    chosen = c.given(options)
    path = Path(str(chosen["key_file"])).expanduser()
    # Blanks may belong to it, the line break of a pipe does not.
    passphrase = given.get("passphrase", "").rstrip("\r\n")
    if not passphrase:
        raise SettingsError("SLW-7041", f"the passphrase of {path} is needed and was not given", _WHERE)
    key = _open(path, _read(path), passphrase)
    return Local(key, path, str(chosen.get("host_ca") or ""), port_forwarding=c.truth(chosen.get("port_forwarding")))


def _read(path: Path) -> bytes:
    """The file's content, if it is this user's alone."""
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            content = file.read(_LIMIT)
    except OSError as exc:
        raise SettingsError(
            "SLW-7044", f"the CA key {path} cannot be read: {reason(exc)}", "make one: ssh-keygen -t ed25519 -f FILE"
        ) from exc
    mode = stat.S_IMODE(about.st_mode)
    if about.st_uid != os.getuid() or mode & 0o077:
        whose = f"belongs to uid {about.st_uid}" if about.st_uid != os.getuid() else f"has mode {mode:04o}"
        raise SettingsError(
            "SLW-7045", f"the CA key {path} {whose}, so that others may read it", f"chmod 600 {path}, as its owner"
        )
    return content


def _open(path: Path, content: bytes, passphrase: str) -> AuthorityKey:
    load = load_ssh_private_key if b"BEGIN OPENSSH PRIVATE KEY" in content else load_pem_private_key
    try:
        # Refused for want of a passphrase: that is what an encrypted key does.
        with suppress(TypeError):
            load(content, None)
            raise SettingsError(
                "SLW-7045", f"the CA key {path} is not encrypted", f"give it a passphrase: ssh-keygen -p -f {path}"
            )
        key = load(content, passphrase.encode())
    except (ValueError, InvalidTag) as exc:
        raise SettingsError(
            "SLW-7044",
            f"{path} is no private key that this passphrase opens",
            f"try it: ssh-keygen -y -f {path}",
        ) from exc
    except UnsupportedAlgorithm as exc:
        raise SettingsError(
            "SLW-7044",
            f"the CA key {path} cannot be opened: {reason(exc)}",
            "keys that ssh-keygen encrypted need the Python package bcrypt",
        ) from exc
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _RSA_BITS:
        return key
    if isinstance(key, (ed25519.Ed25519PrivateKey, ec.EllipticCurvePrivateKey)):
        return key
    raise SettingsError(
        "SLW-7044",
        f"the CA key {path} is of a type that OpenSSH does not accept",
        f"use Ed25519, ECDSA, or RSA of {_RSA_BITS} bits and more",
    )


KIND = Kind(name="local", check=check, secrets=secrets, create=create, trial=True, paths=("key_file", "host_ca"))
