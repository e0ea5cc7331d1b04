# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""OpenBao's (and Vault's) SSH engine as certificate authority."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import ProviderError
from ..provider import Kind, Request, Signed
from . import checking as c
from . import openbao_messages
from .http import TIMEOUT, Answer, Http, trusted
from .openbao_api import Api, RefusedError
from .openbao_auth import Given, Login, Source, Wrapped, hidden
from .openbao_options import HOST_MOUNT, KUBERNETES_JWT, MOUNT, PATHS, auth_of, check, login_of, secrets, settled
from .openbao_token import Tokens
from .token_file import read_token


class OpenBao:
    """``inline``: the login that each request carries, where no token is wanted at all."""

    def __init__(
        self, api: Api, tokens: Tokens, mount: str, role: str, host_mount: str, *, how: str, inline: Login | None = None
    ) -> None:
        self._api = api
        self._tokens = tokens
        self._mount = mount
        self._role = role
        self._host_mount = host_mount
        self._how = how
        self._inline = inline

    def sign(self, request: Request) -> Signed:
        bad = next((name for name in request.principals if "," in name), None)
        if bad is not None:
            raise ProviderError("SLW-7121", f"the principal {bad!r} holds a comma, which would make two of it")
        body: dict[str, Any] = {
            "public_key": request.public_key,
            "valid_principals": ",".join(request.principals),
            "cert_type": "user",
            "ttl": f"{request.ttl}s",
        }
        try:
            answer = self._by_inline(body, self._inline) if self._inline else self._by_token(body)
        except RefusedError as refused:
            raise openbao_messages.signing(refused, self._api.name, self._mount, self._role, request) from refused
        certificate = (answer.json().get("data") or {}).get("signed_key")
        if not isinstance(certificate, str) or not certificate:
            raise ProviderError(
                "SLW-7105",
                f"{self._api.name} sent no certificate",
                f"is {self._mount} an SSH engine, and the address right?",
            )
        return Signed(certificate.strip(), answer.clock)

    def _by_token(self, body: Mapping[str, Any]) -> Answer:
        path = f"{self._mount}/sign/{self._role}"
        token = self._tokens.current()
        try:
            return self._api.send("POST", path, body, token=token)
        except RefusedError as refused:
            if not refused.token_is_dead:
                raise
        return self._api.send("POST", path, body, token=self._tokens.another())

    def _by_inline(self, body: Mapping[str, Any], login: Login) -> Answer:
        fields = login.credentials()
        headers = {"X-Vault-Inline-Auth-Path": login.path}
        if login.namespace != self._api.namespace:
            headers["X-Vault-Inline-Auth-Namespace"] = login.namespace
        for number, (key, value) in enumerate(fields.items()):
            pair = json.dumps({"key": key, "value": value}).encode()
            encoded = base64.urlsafe_b64encode(pair).decode().rstrip("=")
            headers[f"X-Vault-Inline-Auth-Parameter-{number}"] = encoded
        try:
            return self._api.send(
                "POST",
                f"{self._mount}/sign/{self._role}",
                body,
                headers=headers,
                hide=[*hidden(fields), *headers.values()],
            )
        except RefusedError as refused:
            if refused.inline:
                raise login.explain(refused) from refused
            if not refused.knows_no_token:
                raise
        # Vault, and OpenBao before 2.4, do not know these headers: to them nobody has logged in.
        self._inline = None
        self._how += ", not inline: the server does not know it"
        return self._by_token(body)

    def host_authorities(self) -> tuple[str, ...]:
        """Of the other mount, which anybody may read."""
        try:
            answer = self._api.send("GET", f"{self._host_mount}/public_key")
        except RefusedError as refused:
            raise ProviderError(
                "SLW-7123",
                f"{self._api.name} has no host authority in {self._host_mount}: {refused.text}",
                "set host_mount to the SSH engine that certifies hosts, and give it a key: slipway.cluster.access",
            ) from refused
        return tuple(line.strip() for line in answer.body.decode(errors="replace").splitlines() if line.strip())

    def describe(self) -> str:
        return f"{self._api.name}, role {self._role} of {self._mount}, by {self._how}"

    def close(self) -> None:
        self._tokens.close()


def create(options: Mapping[str, Any], given: Mapping[str, str]) -> OpenBao:
    """Raises ``SettingsError`` where a secret is missing or a CA file cannot be used."""
    chosen = {**given, **c.given(options)}
    auth = auth_of(options)
    address = str(chosen["address"]).rstrip("/")
    tls = trusted(str(chosen.get("ca_file") or "")) if address.startswith("https:") else None
    http = Http(
        address,
        f"OpenBao at {address}",
        tls=tls,
        server_name=str(chosen.get("tls_server_name") or ""),
        timeout=float(chosen.get("timeout") or TIMEOUT),
    )
    api = Api(http, _namespace(chosen))
    login_api = api.inside(_namespace(auth)) if "namespace" in auth else api
    source = _source(login_api, auth, given)
    inline = source if auth.get("method") == "inline" and isinstance(source, Login) else None
    login = login_of(auth)
    return OpenBao(
        api,
        Tokens(login_api, source),
        str(chosen.get("mount") or MOUNT).strip("/"),
        str(chosen["role"]),
        str(chosen.get("host_mount") or HOST_MOUNT).strip("/"),
        how=f"inline {login}" if inline else login.replace("_", " "),
        inline=inline,
    )


def _namespace(options: Mapping[str, Any]) -> str:
    """Both servers call the outermost one ``root`` when they print it."""
    named = str(options.get("namespace") or "").strip("/")
    return "" if named == "root" else named


def _source(api: Api, auth: Mapping[str, Any], given: Mapping[str, str]) -> Source:
    login = login_of(auth)
    if login == "token":
        where = "set BAO_TOKEN, or auth.token_file, or another auth.method"
        return Given(api, c.usable_secret("the token", given.get("token", ""), where))
    role_id = str(auth.get("role_id") or given.get("role_id") or "")
    if login == "wrapped_token":
        where = "set SLIPWAY_WRAPPED_TOKEN, or auth.wrapped_token_file"
        value = c.usable_secret("the wrapped token", given.get("wrapped_token", ""), where)
        return Wrapped(
            api, value, str(auth.get("creation_path") or ""), partial(_approle, api, role_id) if role_id else None
        )
    mount = str(auth.get("mount") or login).strip("/")
    if login == "approle":
        where = "set SLIPWAY_SECRET_ID, or auth.secret_id_file"
        return _approle(api, role_id, mount, c.usable_secret("the secret-id", given.get("secret_id", ""), where))
    role = str(auth.get("role") or "")
    return Login(api, login, mount, role, _identity(login, role, auth, given))


def _approle(api: Api, role_id: str, mount: str, secret_id: str) -> Login:
    where = "set auth.role_id, or SLIPWAY_ROLE_ID: bao read auth/approle/role/NAME/role-id"
    fields = {"role_id": c.usable_secret("the role-id", role_id, where), "secret_id": secret_id}
    return Login(api, "approle", mount, "", lambda: fields)


def _identity(login: str, role: str, auth: Mapping[str, Any], given: Mapping[str, str]) -> Callable[[], dict[str, str]]:
    """Fields of a login by JSON web token. One in a file is read at every login, because others renew it there."""
    named = {"role": role} if role else {}
    file = auth.get("jwt_file")
    if not file and not given.get("jwt"):
        file = given.get("jwt_file") or (KUBERNETES_JWT if login == "kubernetes" else "")
    if file:
        path = Path(str(file)).expanduser()
        return lambda: {**named, "jwt": read_token(path)}
    where = "set auth.jwt_file, or SLIPWAY_JWT_FILE, or SLIPWAY_JWT"
    fields = {**named, "jwt": c.usable_secret("the JSON web token", given.get("jwt", ""), where)}
    return lambda: fields


KIND = Kind(name="openbao", check=check, secrets=secrets, create=create, paths=PATHS, settled=settled)
