# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The reader: one account for each ``slipway_name``, whose rights follow the records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ApiError
from . import accounts as a
from .reader_rules import Readable, readable
from .transport import Api

if TYPE_CHECKING:
    from .cluster_access import Change

_KINDS = ("rolebindings", "roles", "clusterrolebindings", "clusterroles")


class Reader:
    """``change`` gets what was done. A run that finds the rights as they should be writes nothing."""

    def __init__(self, api: Api, *, name: str, namespace: str, home: str, dry: bool, change: Change) -> None:
        self._api = api
        self._owner = name
        self._namespace = namespace
        self._home = home
        self._dry = dry
        self._change = change
        self._name = a.reader_name(name)

    def records(self) -> list[dict[str, Any]]:
        selector = f"{a.LABEL_NAME}={self._owner},{a.LABEL_RECORD}=release"
        return self._api.items(f"/api/v1/namespaces/{self._home}/configmaps", selector)

    def exists(self) -> bool:
        return self._api.get(a.account_path(self._namespace, self._name)) is not None

    def ensure(self) -> None:
        """Account, roles and bindings as the records ask for, and none beside them."""
        wanted = self._wanted(readable(self.records(), name=self._owner, home=self._home))
        there = self._there()
        if not self.exists():
            path = a.account_path(self._namespace, self._name)
            self._put(path, a.account(self._meta(self._namespace)))
        for path, body in wanted.items():
            if path not in there or there[path].get("rules") != body.get("rules"):
                self._put(path, body)
        self._remove(path for path in there if path not in wanted)

    def remove(self) -> None:
        """Account and rights."""
        self._remove(self._there())
        self._remove([a.account_path(self._namespace, self._name)] if self.exists() else [])

    def _wanted(self, may: Readable) -> dict[str, dict[str, Any]]:
        found = {
            f"{a.RBAC}/clusterroles/{self._name}": a.role(self._meta(), may.cluster_rules()),
            a.binding_path(self._name): self._binding(),
        }
        for namespace in sorted({*may.secrets, self._home}):
            rules = may.rules_of(namespace, self._home)
            found[f"{a.RBAC}/namespaces/{namespace}/roles/{self._name}"] = a.role(self._meta(namespace), rules)
            found[f"{a.RBAC}/namespaces/{namespace}/rolebindings/{self._name}"] = self._binding(namespace)
        return found

    def _there(self) -> dict[str, dict[str, Any]]:
        found = {}
        for plural in _KINDS:
            for item in self._api.items(f"{a.RBAC}/{plural}", a.selector(self._owner, a.READER)):
                meta = item["metadata"]
                space = f"/namespaces/{meta['namespace']}" if meta.get("namespace") else ""
                found[f"{a.RBAC}{space}/{plural}/{meta['name']}"] = item
        return found

    def _put(self, path: str, body: dict[str, Any]) -> None:
        meta = body["metadata"]
        where = f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else meta["name"]
        try:
            if not self._dry:
                self._api.apply(path, body)
        except ApiError as exc:
            # A namespace that is not there yet, or is going, has nothing to be read.
            if meta.get("namespace") in ("", None, self._namespace) or exc.status not in (403, 404):
                raise
            return
        self._change.made.append(f"{body['kind']} {where}")

    def _remove(self, paths: Any) -> None:
        for path in list(paths):
            if self._dry or self._api.delete(path):
                self._change.removed.append(path.split("/v1/", 1)[1])

    def _meta(self, namespace: str = "") -> dict[str, Any]:
        return a.metadata(self._name, self._owner, a.READER, namespace=namespace)

    def _binding(self, namespace: str = "") -> dict[str, Any]:
        return a.binding(self._meta(namespace), self._name, self._namespace, self._name)
