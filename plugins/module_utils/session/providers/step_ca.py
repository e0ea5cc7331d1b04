# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""step-ca as certificate authority. Its tokens serve once, so that each certificate needs a new one."""

from __future__ import annotations

import base64
import os
import pwd
import re
import secrets as random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

with suppress(ImportError):  # the shell names what is missing
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

from ..errors import ProviderError, SettingsError
from ..provider import Kind, Request, Signed
from . import checking as c
from .http import TIMEOUT, Answer
from .jose import JoseError, SigningKey, private_jwk
from .step_ca_options import check, method_of, secrets
from .step_ca_server import Server
from .token_file import read_token

# A token for one request: whom it is for, and the server's time.
Tokens = Callable[[Request, float], str]

_DURATION = re.compile(r"(less than minimum|greater than maximum) accepted duration for selected provisioner of (\S+)")
_TOKEN_LIFE = 300
# The server tolerates a minute between its clock and ours; half of that is a reason to look again.
_SKEW = 30.0


class StepCa:
    """``tokens`` are for as whom we are known, ``how`` says it in words."""

    def __init__(self, server: Server, tokens: Tokens, key_id: str, how: str) -> None:
        self._server = server
        self._tokens = tokens
        self._key_id = key_id
        self._how = how
        # By how many seconds the server's clock is before ours, as far as its answers told.
        self._ahead = 0.0

    def sign(self, request: Request) -> Signed:
        if not request.principals:
            # It would sign for the name in the token.
            raise ProviderError("SLW-7121", f"{self._server.name} signs for named principals", "name at least one")
        known = self._ahead
        answer, said = self._ask(request)
        if answer.status == 401 and abs(self._ahead - known) > _SKEW:
            # Our tokens were made by a clock that the server does not share; now its time is known.
            answer, said = self._ask(request)
        if answer.status >= 400:
            raise self._refused(answer.status, said, request)
        return Signed(self._certificate(answer, request), answer.clock)

    def host_authorities(self) -> tuple[str, ...]:
        answer, said = self._server.send("GET", "ssh/roots")
        keys = answer.json().get("hostKey") if answer.status == 200 else None
        lines = tuple(filter(None, map(_line, keys))) if isinstance(keys, list) else ()
        if not lines:
            raise ProviderError(
                "SLW-7130",
                f"{self._server.name} names no host authority: {said}",
                'its ca.json needs "ssh" with "hostKey"',
            )
        return lines

    def describe(self) -> str:
        return f"{self._server.name}, {self._how}, as {self._key_id}"

    def close(self) -> None:
        """Tokens serve once: there is nothing to give back."""

    def _ask(self, request: Request) -> tuple[Answer, str]:
        ott = self._tokens(request, time.time() + self._ahead)
        body = {
            "publicKey": request.public_key.split()[1] if " " in request.public_key else "",
            "ott": ott,
            "certType": "user",
            "keyID": self._key_id,
            "principals": list(request.principals),
            # Counted by the server's clock.
            "validBefore": f"{request.ttl}s",
        }
        answer, said = self._server.send("POST", "1.0/ssh/sign", body, hide=[ott])
        if answer.clock is not None:
            self._ahead = answer.clock - time.time()
        return answer, said

    def _certificate(self, answer: Answer, request: Request) -> str:
        line = _line(answer.json().get("crt"))
        try:
            read = load_ssh_public_identity(line.encode())
        except (ValueError, UnsupportedAlgorithm):
            read = None
        if not isinstance(read, SSHCertificate):
            raise ProviderError("SLW-7105", f"{self._server.name} sent no certificate", "is the address right?")
        named = {name.decode(errors="replace") for name in read.valid_principals}
        # An identity provider's token, or a template of the server, may decide otherwise than we asked.
        if missing := [name for name in request.principals if name not in named]:
            raise ProviderError(
                "SLW-7121",
                f"{self._server.name} signed for {', '.join(sorted(named)) or 'nobody'}, not for {', '.join(missing)}",
                "the provisioner's template decides about principals: let it take those of the request",
            )
        return line

    def _refused(self, status: int, said: str, request: Request) -> ProviderError:
        who = f"{self._server.name} ({self._how})"
        if status == 401:
            return ProviderError(
                "SLW-7110",
                f"{who} does not accept the token: {said}",
                "it serves once; are name and key those of a provisioner with enableSSHCA, and the clocks right?",
            )
        if found := _DURATION.search(said):
            kind = "shorter" if found[1].startswith("less") else "longer"
            return ProviderError(
                "SLW-7122",
                f"{request.ttl} s is {kind} than {who} gives: {found[2].rstrip('.')}, the minute before now included",
                "ask for another life, or set minUserSSHCertDuration and maxUserSSHCertDuration of the provisioner",
            )
        if "principal" in said or "not authorized" in said or "not allowed" in said:
            return ProviderError(
                "SLW-7121",
                f"{who} does not sign for {', '.join(request.principals)}: {said}",
                "look at the policy of the provisioner, or ask for another principal",
            )
        if status == 404:
            return ProviderError("SLW-7123", f"{self._server.name} knows no SSH requests", "is the address right?")
        return ProviderError("SLW-7124", f"{who} refuses to sign: {status} {said}", "look at its log")


def _line(wire: object) -> str:
    """A key or certificate as OpenSSH writes it; its type stands at the beginning of its binary form."""
    with suppress(ValueError, TypeError):
        raw = base64.b64decode(str(wire), validate=True)
        kind = raw[4 : 4 + int.from_bytes(raw[:4], "big")].decode("ascii")
        if kind:
            return f"{kind} {wire}"
    return ""


def create(options: Mapping[str, Any], given: Mapping[str, str]) -> StepCa:
    """Raises ``SettingsError`` where a secret is missing or cannot be used."""
    chosen = c.given(options)
    address = str(chosen["address"]).rstrip("/")
    server = Server(
        address,
        ca_file=str(chosen.get("ca_file") or ""),
        fingerprint=str(chosen.get("fingerprint") or ""),
        server_name=str(chosen.get("tls_server_name") or ""),
        timeout=float(chosen.get("timeout") or TIMEOUT),
    )
    user = pwd.getpwuid(os.getuid()).pw_name
    key_id = str(chosen.get("key_id") or f"slipway/{user}@{os.uname().nodename}")
    if method_of(chosen) == "jwk":
        name = str(chosen["provisioner"])
        return StepCa(server, _by_key(_key(chosen, given), name, address, key_id), key_id, f"provisioner {name}")
    return StepCa(server, _by_identity(chosen, given), key_id, "identity token")


def _by_key(key: SigningKey, provisioner: str, address: str, key_id: str) -> Tokens:
    def token(request: Request, now: float) -> str:
        ssh = {"certType": "user", "keyID": key_id, "principals": list(request.principals)}
        return key.token(
            {
                "iss": provisioner,
                "sub": key_id,
                "aud": f"{address}/1.0/ssh/sign",
                "jti": random.token_hex(16),
                "iat": int(now),
                "nbf": int(now),
                "exp": int(now) + _TOKEN_LIFE,
                "step": {"ssh": ssh},
            }
        )

    return token


def _by_identity(options: Mapping[str, Any], given: Mapping[str, str]) -> Tokens:
    if options.get("token_file"):
        return _by_file(Path(str(options["token_file"])).expanduser())
    value = c.usable_secret("the identity token", given.get("token", ""), "set SLIPWAY_STEP_TOKEN, or token_file")
    return lambda request, now: value


def _by_file(path: Path) -> Tokens:
    used = ""

    def token(request: Request, now: float) -> str:
        nonlocal used
        found = read_token(path)
        if found == used:
            raise ProviderError(
                "SLW-7110",
                f"the token in {path} has been used, and step-ca takes each only once",
                "renew the file more often than certificates end, or use a JWK provisioner",
            )
        used = found
        return found

    return token


def _key(options: Mapping[str, Any], given: Mapping[str, str]) -> SigningKey:
    text = given.get("jwk", "").strip()
    if not text:
        raise SettingsError(
            "SLW-7041",
            "the provisioner's key is needed and was not given",
            "set SLIPWAY_STEP_JWK, or jwk_file, or jwk_fd",
        )
    try:
        key, encrypted = private_jwk(text, given.get("password", "").rstrip("\r\n"))
    except JoseError as exc:
        raise SettingsError(
            "SLW-7046",
            f"the provisioner's key cannot be used: {exc}",
            "give the private JWK of the provisioner, and its password by SLIPWAY_STEP_PASSWORD",
        ) from exc
    if options.get("jwk_file") and not encrypted:
        raise SettingsError(
            "SLW-7046",
            f"the provisioner's key in {options['jwk_file']} is not encrypted",
            "make it with a password: step crypto jwk create",
        )
    return key


KIND = Kind(name="step_ca", check=check, secrets=secrets, create=create, paths=("ca_file", "jwk_file", "token_file"))
