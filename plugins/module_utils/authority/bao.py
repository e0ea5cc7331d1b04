# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""OpenBao or Vault as an administrator sees it: what stands at a path, and writing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..session.providers.openbao_api import Api, RefusedError
from ..trust.errors import TrustError

# What OpenBao and Vault say where nothing is mounted or nothing is configured yet.
_NOTHING = (
    "No secret engine mount",
    "No auth engine",
    "no handler for route",
    "no default issuer",
    "keys haven't been configured",
    "unsupported path",
)


class Bao:
    """Reads and writes with one token. A path that must not be read is noted, so that one error names all of them."""

    def __init__(self, api: Api, token: str) -> None:
        self._api = api
        self._token = token
        self.name = api.name
        self.forbidden: dict[str, str] = {}

    def read(self, path: str, method: str = "GET") -> dict[str, Any] | None:
        """The data at ``path``; ``None`` where there is nothing, or nothing that this token may see."""
        try:
            answer = self._api.send(method, path, token=self._token)
        except RefusedError as exc:
            if exc.token_is_dead:
                raise self._dead() from exc
            if exc.status == 403:
                self.forbidden[path] = "list" if method == "LIST" else "read"
                return None
            if exc.status in (404, 405) or any(said in exc.text for said in _NOTHING):
                return None
            raise self._refused(f"{method} {path}", exc) from exc
        found = answer.json()
        data = found.get("data")
        return data if isinstance(data, dict) else found

    def knows(self, path: str, method: str) -> bool:
        """Whether this server has such requests at all, be there something or nothing to answer."""
        try:
            self._api.send(method, path, token=self._token)
        except RefusedError as exc:
            return not any(said in exc.text for said in ("unsupported path", "no handler for route"))
        return True

    def write(self, path: str, body: Mapping[str, Any], method: str = "POST") -> dict[str, Any]:
        """The answer's data. Raises ``TrustError`` SLW-7321, SLW-7322 or SLW-7323, and ``ProviderError``."""
        try:
            answer = self._api.send(method, path, body, token=self._token)
        except RefusedError as exc:
            if exc.token_is_dead:
                raise self._dead() from exc
            if exc.status == 403:
                raise self.missing({path: "update"}) from exc
            raise self._refused(f"{method} {path}", exc) from exc
        data = answer.json().get("data")
        return data if isinstance(data, dict) else {}

    def lacking(self, paths: Sequence[str]) -> dict[str, str]:
        """Which of these paths the token may not write."""
        if not paths:
            return {}
        held = self.write("sys/capabilities-self", {"paths": list(paths)})
        return {path: "create, update" for path in paths if not {"root", "create", "update"} & set(held.get(path, ()))}

    def missing(self, rights: Mapping[str, str]) -> TrustError:
        said = "; ".join(f"{path} ({what})" for path, what in sorted(rights.items()))
        return TrustError(
            "SLW-7322",
            f"the token for {self.name} lacks rights: {said}",
            "give it a policy with them, or use an administrator's token; nothing was changed",
        )

    def _dead(self) -> TrustError:
        return TrustError(
            "SLW-7321", f"{self.name} does not accept the token: unknown, expired or revoked", "set BAO_TOKEN anew"
        )

    def _refused(self, request: str, exc: RefusedError) -> TrustError:
        return TrustError("SLW-7323", f"{self.name} refuses {request}: {exc.status} {exc.text}")
