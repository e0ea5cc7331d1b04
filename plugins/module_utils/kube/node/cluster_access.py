# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Give a run its rights on the cluster, take them back, and clear away what killed runs left.

All of it is idempotent: a run that asks again gets another token, and its rights again if somebody took them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from ..errors import ApiError
from . import accounts as a
from .reader import Reader
from .token_request import Token, request_token
from .transport import Api

_PATIENCE = 60.0
"""Seconds for a namespace that is going, and for an account that is being cleared away."""

T = TypeVar("T")


@dataclass
class Change:
    """What was done, in words. ``token`` is the run's, if one was asked for."""

    made: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    """Of ``removed``, what runs had left that ended without giving it back."""
    token: Token | None = None


class ClusterAccess:
    """``name`` is the ``slipway_name``, ``namespace`` that of the accounts, ``home`` that of the records. With ``dry``
    nothing is changed, and what would be is told."""

    def __init__(self, api: Api, *, name: str, namespace: str, home: str, dry: bool = False) -> None:
        self._api = api
        self._name = name
        self._namespace = namespace
        self._dry = dry
        self._change = Change()
        self._reader = Reader(api, name=name, namespace=namespace, home=home, dry=dry, change=self._change)

    def reader(self, run: str, life: int) -> Change:
        """The reader's account with the rights that the records ask for; with ``run`` a token of ``life`` seconds."""
        self._enter()
        self._persistently(self._reader.ensure)
        if run and not self._dry:
            meta = a.metadata(a.lease_name(run), self._name, a.READER, namespace=self._namespace)
            meta["annotations"] = {a.EXPIRES: a.stamp(self._api.now() + timedelta(seconds=life))}
            body = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque"}
            self._change.token = self._persistently(lambda: self._bound_token(body, life))
        return self._change

    def _bound_token(self, secret: dict[str, Any], life: int) -> Token:
        name = secret["metadata"]["name"]
        made = self._api.apply(a.secret_path(self._namespace, name), secret)
        bound = {"apiVersion": "v1", "kind": "Secret", "name": name, "uid": made["metadata"]["uid"]}
        account = a.reader_name(self._name)
        return request_token(self._api, namespace=self._namespace, account=account, seconds=life, bound=bound)

    def installer(self, run: str, life: int, claim: int) -> Change:
        """Rights to change anything, until they are taken back, or ``claim`` seconds after the run's last sign."""
        self._enter()
        name = a.installer_name(run)
        if self._api.get(a.binding_path(name)) is None:
            self._change.made.append(f"ClusterRoleBinding {name}")
        if not self._dry:
            self._change.token = self._persistently(lambda: self._installer_token(name, life, claim))
        return self._change

    def _installer_token(self, name: str, life: int, claim: int) -> Token:
        until = self._api.now() + timedelta(seconds=claim)
        meta = a.metadata(name, self._name, a.INSTALLER, expires=until)
        binding = self._api.apply(a.binding_path(name), a.binding(meta, "cluster-admin", self._namespace, name))
        account = a.account(a.metadata(name, self._name, a.INSTALLER, namespace=self._namespace))
        owner = {"apiVersion": binding["apiVersion"], "kind": binding["kind"], "name": name}
        account["metadata"]["ownerReferences"] = [{**owner, "uid": binding["metadata"]["uid"]}]
        self._api.apply(a.account_path(self._namespace, name), account)
        return request_token(self._api, namespace=self._namespace, account=name, seconds=life)

    def end(self, run: str, *, leave: bool) -> Change:
        """The rights and tokens of ``run`` end. ``leave``: with the last record the reader goes as well."""
        self._take_back(run)
        self._clear()
        if leave and not self._reader.records():
            self._reader.remove()
            self._leave()
        elif self._reader.exists():
            # The run may have changed what we own.
            self._reader.ensure()
        return self._change

    def remove(self) -> Change:
        """Everything of this ``slipway_name``, running runs' rights included."""
        for binding in self._bindings():
            self._take_back(binding["metadata"]["name"][len(a.installer_name("")) :])
        for secret in self._run_secrets():
            self._delete(a.secret_path(self._namespace, secret["metadata"]["name"]), f"Secret {_name(secret)}")
        self._clear()
        self._reader.remove()
        self._leave()
        return self._change

    def _enter(self) -> None:
        """The accounts' namespace, and nothing in it that has outlived its run."""
        if self._api.get(a.namespace_path(self._namespace)) is None:
            self._change.made.append(f"Namespace {self._namespace}")
            if not self._dry:
                meta = {"name": self._namespace, "annotations": {a.CREATED_BY: "cluster_access"}}
                body = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
                self._api.apply(a.namespace_path(self._namespace), body)
        self._clear()

    def _leave(self) -> None:
        """Our namespace goes when nobody's accounts are in it any more."""
        space = self._api.get(a.namespace_path(self._namespace))
        meta = space["metadata"] if space else {"deletionTimestamp": "long ago"}
        if meta.get("deletionTimestamp") or a.CREATED_BY not in (meta.get("annotations") or {}):
            return
        mine = f"{a.LABEL_RECORD}={a.RECORD}" + (f",{a.LABEL_NAME}!={self._name}" if self._dry else "")
        if not self._api.items(a.account_path(self._namespace), mine):
            self._delete(a.namespace_path(self._namespace), f"Namespace {self._namespace}", uid=meta["uid"])

    def _take_back(self, run: str) -> None:
        name = a.installer_name(run)
        # The binding first: rights end with it at once, a token with its account within seconds.
        self._delete(a.binding_path(name), f"ClusterRoleBinding {name}")
        self._delete(a.account_path(self._namespace, name), f"ServiceAccount {name}")
        self._delete(a.secret_path(self._namespace, a.lease_name(run)), f"Secret {a.lease_name(run)}")

    def _clear(self) -> None:
        """What runs left that ended without giving it back: their time is over by the API server's clock."""
        # Accounts are looked at first: they are made after their binding, so one without is no run that just begins.
        found = self._api.items(a.account_path(self._namespace), a.selector(self._name, a.INSTALLER))
        bindings = self._bindings()
        over = {_name(binding) for binding in bindings if a.expired(binding, self._api.now())}
        for name in sorted(over):
            self._left_behind(a.binding_path(name), f"ClusterRoleBinding {name}")
        alive = {_name(binding) for binding in bindings} - over
        for account in found:
            if _name(account) not in alive:
                self._left_behind(
                    a.account_path(self._namespace, _name(account)), f"ServiceAccount {_name(account)}", account
                )
        for secret in self._run_secrets():
            if a.expired(secret, self._api.now()):
                self._left_behind(a.secret_path(self._namespace, _name(secret)), f"Secret {_name(secret)}", secret)

    def _bindings(self) -> list[dict[str, Any]]:
        return self._api.items(a.binding_path("").rstrip("/"), a.selector(self._name, a.INSTALLER))

    def _run_secrets(self) -> list[dict[str, Any]]:
        return self._api.items(a.secret_path(self._namespace), a.selector(self._name, a.READER))

    def _left_behind(self, path: str, what: str, seen: dict[str, Any] | None = None) -> None:
        if self._delete(path, what, uid=seen["metadata"]["uid"] if seen else ""):
            self._change.left_behind.append(what)

    def _delete(self, path: str, what: str, uid: str = "") -> bool:
        there = self._api.get(path) is not None if self._dry else self._api.delete(path, uid)
        if there:
            self._change.removed.append(what)
        return there

    def _persistently(self, step: Callable[[], T]) -> T:
        """``step`` again while its namespace is going, or its account is being cleared away."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return step()
            except ApiError as exc:
                going = exc.status == 404 or "being terminated" in exc.api_message or exc.status == 409
                if not going or time.monotonic() > deadline:
                    raise
            time.sleep(0.5)
            if self._api.get(a.namespace_path(self._namespace)) is None:
                self._enter()


def _name(obj: dict[str, Any]) -> str:
    return str(obj["metadata"]["name"])
