# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Ways to a token of OpenBao: one that was given, a wrapped one, logins. Its life is told in ``openbao_token``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..errors import ProviderError
from . import openbao_messages
from .http import Answer
from .openbao_api import Api, RefusedError

NEVER = float("inf")
_TOKEN_PATH = re.compile(r"auth/(token/create(-orphan|/[^/]+)?|.+/login(/.+)?)")
_SECRET_ID_PATH = re.compile(r"auth/(?P<mount>.+)/role/(?P<role>[^/]+)/(custom-)?secret-id")


@dataclass(frozen=True)
class Token:
    """``life`` in seconds from now. ``ours``: nobody else has it, so it is revoked at the end."""

    value: str = field(repr=False)
    life: float
    renewable: bool
    ours: bool
    batch: bool = False


class Source(Protocol):
    """Where a token comes from."""

    @property
    def repeatable(self) -> bool:
        """Whether it gives another one when it is asked again."""

    def obtain(self) -> Token:
        """Raises ``ProviderError``."""


class Given:
    """A token from the user, who has other uses for it: never revoked."""

    repeatable = False

    def __init__(self, api: Api, value: str) -> None:
        self._api = api
        self._value = value

    def obtain(self) -> Token:
        try:
            answer = self._api.send("GET", "auth/token/lookup-self", token=self._value)
        except RefusedError as refused:
            if refused.token_is_dead:
                raise ProviderError(
                    "SLW-7111",
                    f"{self._api.name} does not accept the token: it has ended, was revoked, or is another server's",
                    "give a new one: bao login",
                ) from refused
            # It may be good for signing without being allowed to look at itself.
            return Token(self._value, NEVER, renewable=False, ours=False)
        data = answer.json().get("data") or {}
        return Token(self._value, seconds(data.get("ttl")), renewable=bool(data.get("renewable")), ours=False)


class Login:
    """AppRole, JWT and Kubernetes. ``credentials`` gives the fields of the request, read anew each time."""

    repeatable = True

    def __init__(
        self, api: Api, method: str, mount: str, role: str, credentials: Callable[[], Mapping[str, str]]
    ) -> None:
        self.path = f"auth/{mount}/login"
        self.credentials = credentials
        self._api = api
        self._named = (method, mount, role)

    @property
    def namespace(self) -> str:
        return self._api.namespace

    def obtain(self) -> Token:
        fields = self.credentials()
        try:
            answer = self._api.send("POST", self.path, fields, hide=hidden(fields))
        except RefusedError as refused:
            raise self.explain(refused) from refused
        return _obtained(answer, self._api.name)

    def explain(self, refused: RefusedError) -> ProviderError:
        return openbao_messages.login(refused, self._api.name, *self._named)


def hidden(fields: Mapping[str, str]) -> list[str]:
    """What of a login's fields may not be shown."""
    return [value for key, value in fields.items() if key not in ("role", "role_id")]


class Wrapped:
    """A wrapping token: good for one use, so that a second one is noticed.

    It holds a token, or the secret-id of an AppRole: ``approle`` makes a login of its mount and that, where the role-id
    is known.
    """

    def __init__(self, api: Api, value: str, expected: str, approle: Callable[[str, str], Source] | None) -> None:
        self._api = api
        self._value = value
        self._expected = expected
        self._approle = approle
        self._login: Source | None = None
        self._asked = False
        self._unwrapped = False

    @property
    def repeatable(self) -> bool:
        return self._login is not None

    def obtain(self) -> Token:
        if self._login:
            return self._login.obtain()
        if self._unwrapped:
            raise ProviderError(
                "SLW-7111",
                f"the token that was wrapped is not accepted any more by {self._api.name}, and it came only once",
                "wrap a secret-id, or a token that lives as long as the run",
            )
        path = self._created_by()
        secret_id = _SECRET_ID_PATH.fullmatch(path)
        if secret_id and not self._approle:
            raise ProviderError(
                "SLW-7113",
                f"the wrapping token holds a secret-id ({path}), and no role-id is given",
                "it was not unwrapped: set auth.role_id, or SLIPWAY_ROLE_ID",
            )
        self._asked = True
        answer = self._ask("sys/wrapping/unwrap", None, self._value)
        self._unwrapped = True
        if secret_id is None or self._approle is None:
            return _obtained(answer, self._api.name)
        value = str((answer.json().get("data") or {}).get("secret_id") or "")
        self._login = self._approle(secret_id["mount"], value)
        return self._login.obtain()

    def _created_by(self) -> str:
        """What was wrapped, as the server knows it: whoever steals a token could wrap something of his own."""
        answer = self._ask("sys/wrapping/lookup", {"token": self._value}, "")
        path = str((answer.json().get("data") or {}).get("creation_path") or "")
        if self._expected:
            if path == self._expected:
                return path
            wanted = self._expected
        elif _TOKEN_PATH.fullmatch(path) or _SECRET_ID_PATH.fullmatch(path):
            return path
        else:
            wanted = "a token or a secret-id"
        raise ProviderError(
            "SLW-7113",
            f"the wrapping token holds what {path} of {self._api.name} gave, not {wanted}",
            "it was not unwrapped; if you did not make it, somebody has exchanged it: revoke what the right one holds",
        )

    def _ask(self, path: str, body: Mapping[str, Any] | None, token: str) -> Answer:
        try:
            return self._api.send("POST", path, body, token=token, hide=[self._value])
        except RefusedError as refused:
            more = ", or by this run's own attempt that got no answer" if self._asked and body is not None else ""
            raise ProviderError(
                "SLW-7112",
                f"the wrapping token is not valid at {self._api.name}, possible theft: it was "
                f"used before by somebody else{more}, or expired",
                "revoke what it gave, and make a new one right before the launch",
            ) from refused


def _obtained(answer: Answer, server: str) -> Token:
    auth = answer.json().get("auth") or {}
    value = auth.get("client_token")
    if not isinstance(value, str) or not value:
        raise ProviderError(
            "SLW-7110", f"{server} answered the login without a token", "logins with a second factor cannot be used"
        )
    return Token(
        value,
        seconds(auth.get("lease_duration")),
        renewable=bool(auth.get("renewable")),
        ours=True,
        batch=auth.get("token_type") == "batch",
    )


def seconds(value: object) -> float:
    """OpenBao's zero means for ever."""
    return float(value) if isinstance(value, int) and value > 0 else NEVER
