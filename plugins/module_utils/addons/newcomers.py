# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What stands where new objects are to go: asked with as few requests as may be, since most are not there."""

from __future__ import annotations

from collections.abc import Iterable

from ..kube.client import METADATA, Client
from ..kube.errors import ApiError
from ..kube.objects import NAMESPACE, Json, Resource
from .desired import Desired
from .observe import Observed, in_parallel
from .rendering import Rendering

_MANY = 3


class Newcomers:
    """Objects that a plan would create."""

    def __init__(self, client: Client, observed: Observed) -> None:
        self._client = client
        self._observed = observed
        self._there: dict[Resource, dict[str, Json]] = {}

    def look(self, work: Iterable[Rendering]) -> None:
        """Where many objects of a kind are new and belong to no namespace, one list says which are there."""
        new: dict[Resource, int] = {}
        for rendering in work:
            for desired in rendering.desired or ():
                if not desired.id.namespace and desired.id not in self._observed.live:
                    new[desired.resource] = new.get(desired.resource, 0) + 1
        many = [resource for resource, count in new.items() if count > _MANY and resource != NAMESPACE]
        for resource, found in zip(many, in_parallel(self._list, many), strict=True):
            if found is not None:
                self._there[resource] = {item["metadata"]["name"]: item["metadata"] for item in found}

    def _list(self, resource: Resource) -> list[Json] | None:
        try:
            return self._client.list(resource.collection(), metadata=True)
        except ApiError as exc:
            if exc.status in (403, 404):
                return None
            raise

    def existing(self, desired: Desired) -> Json | None:
        """Metadata of what stands where a new object is to go."""
        namespaces, namespace = self._observed.namespaces, desired.id.namespace
        if namespace and namespaces is not None and namespace not in namespaces:
            return None
        if desired.resource in self._there:
            return self._there[desired.resource].get(desired.id.name)
        found = self._client.get(desired.path, accept=METADATA)
        return found["metadata"] if found else None
