# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Bootstrap tokens of kubeadm: a Secret in kube-system that lets nodes ask for their certificate, for some minutes."""

from __future__ import annotations

import base64
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..errors import AccessError
from . import accounts as a
from .transport import Api

_SPACE = "kube-system"
_TYPE = "bootstrap.kubernetes.io/token"
LABEL_BATCH = "slipway.cluster/batch"
_ALPHABET = string.ascii_lowercase + string.digits
GROUP = "system:bootstrappers:"


@dataclass
class Joining:
    """What became of a batch's token. ``removed`` names tokens (their ids) that are gone now."""

    changed: bool = False
    token: str = field(default="", repr=False)
    token_id: str = ""
    expires: str = ""
    removed: list[str] = field(default_factory=list)


class JoinTokens:
    """The tokens of one ``slipway_name``; a batch is one set of nodes that joins together."""

    def __init__(self, api: Api, *, name: str, batch: str, dry: bool = False) -> None:
        self._api = api
        self._name = name
        self._batch = batch
        self._dry = dry

    def present(self, *, life: int, usages: Sequence[str], groups: Sequence[str], description: str) -> Joining:
        """A token for the batch that is good for half of ``life`` seconds at least: the one that is there, or a new
        one. Raises ``AccessError`` SLW-7408 for a group that kubeadm does not know as bootstrappers."""
        wrong = [group for group in groups if not group.startswith(GROUP)]
        if wrong:
            raise AccessError("SLW-7408", f"{wrong[0]!r} is no group of bootstrappers", f"begin its name with {GROUP}")
        found = self._expired_removed()
        now = self._api.now()
        for secret in self._of_batch():
            data = {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}
            fits = _wishes(data) == _wishes(token_data("", "", now, usages, groups, description))
            if fits and _moment(data["expiration"]) >= now + timedelta(seconds=life / 2):
                found.token = f"{data['token-id']}.{data['token-secret']}"
                found.token_id, found.expires = data["token-id"], data["expiration"]
                return found
            self._remove(secret, found)
        found.changed = True
        if self._dry:
            return found
        found.token_id, private = _random(6), _random(16)
        found.token = f"{found.token_id}.{private}"
        data = token_data(found.token_id, private, now + timedelta(seconds=life), usages, groups, description)
        found.expires = data["expiration"]
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": f"bootstrap-token-{found.token_id}",
                "namespace": _SPACE,
                "labels": {a.LABEL_NAME: self._name, a.LABEL_RECORD: "join", LABEL_BATCH: self._batch},
            },
            "type": _TYPE,
            "stringData": data,
        }
        self._api.call("POST", a.secret_path(_SPACE), body)
        return found

    def absent(self, token_id: str = "") -> Joining:
        """No token of the batch is left, none that has expired, and not the one of this id, whoever made it."""
        found = self._expired_removed()
        for secret in self._of_batch():
            self._remove(secret, found)
        named = self._api.get(a.secret_path(_SPACE, f"bootstrap-token-{token_id}")) if token_id else None
        if named is not None and named.get("type") == _TYPE:
            self._remove(named, found)
        return found

    def _expired_removed(self) -> Joining:
        found = Joining()
        now = self._api.now()
        for secret in self._ours():
            text = base64.b64decode((secret.get("data") or {}).get("expiration", "")).decode()
            if text and _moment(text) < now:
                self._remove(secret, found)
        return found

    def _of_batch(self) -> list[dict[str, Any]]:
        now = self._api.now()
        return [
            secret
            for secret in self._ours()
            if secret["metadata"]["labels"].get(LABEL_BATCH) == self._batch
            and _moment(base64.b64decode(secret["data"]["expiration"]).decode()) >= now
        ]

    def _ours(self) -> list[dict[str, Any]]:
        selector = f"{a.LABEL_NAME}={self._name},{a.LABEL_RECORD}=join"
        return [s for s in self._api.items(a.secret_path(_SPACE), selector) if s.get("type") == _TYPE]

    def _remove(self, secret: dict[str, Any], found: Joining) -> None:
        name = secret["metadata"]["name"]
        if self._dry or self._api.delete(a.secret_path(_SPACE, name), secret["metadata"]["uid"]):
            found.removed.append(name[len("bootstrap-token-") :])
            found.changed = True


def token_data(
    token_id: str, private: str, expires: datetime, usages: Sequence[str], groups: Sequence[str], description: str
) -> dict[str, str]:
    """What the Secret of a token says."""
    data = {
        "token-id": token_id,
        "token-secret": private,
        "expiration": a.stamp(expires),
        "auth-extra-groups": ",".join(sorted(groups)),
        "description": description,
    }
    data.update({f"usage-bootstrap-{usage}": "true" for usage in usages})
    return data


def _wishes(data: dict[str, str]) -> dict[str, str]:
    """What was asked for, without what differs between tokens."""
    return {key: value for key, value in data.items() if key not in ("token-id", "token-secret", "expiration")}


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for place in range(length))
