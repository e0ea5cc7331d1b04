# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which kinds the API server serves: aggregated discovery, two requests however many groups there are."""

from __future__ import annotations

from collections.abc import Iterable

from .client import Client
from .errors import ApiError, UnsupportedError
from .objects import CRD, Json, Resource, crd_resources, is_custom, split_api_version

_AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    # What an older server understands: by its answer it is known.
    "application/json"
)


class Discovery:
    """Kinds by (group, kind), every served version, preferred version first."""

    def __init__(self, resources: Iterable[Resource], verbs: Json | None = None):
        self._by_kind: dict[tuple[str, str], list[Resource]] = {}
        self._verbs = verbs or {}
        for resource in resources:
            self.add(resource)

    def add(self, resource: Resource) -> None:
        known = self._by_kind.setdefault((resource.group, resource.kind), [])
        if resource not in known:
            known.append(resource)

    def find(self, api_version: str, kind: str) -> Resource | None:
        """The resource in exactly this version."""
        group, version = split_api_version(api_version)
        for resource in self._by_kind.get((group, kind), ()):
            if resource.version == version:
                return resource
        return None

    def preferred(self, group: str, kind: str) -> Resource | None:
        known = self._by_kind.get((group, kind))
        return known[0] if known else None

    def served(self, resource: Resource) -> Resource:
        """As it is, or at the version that is served in the place of one that went; as it is where none is."""
        exact = self.find(resource.api_version, resource.kind)
        return exact or self.preferred(resource.group, resource.kind) or resource

    def named(self, kind: str) -> list[Resource]:
        """One resource (preferred version) for each group that has this kind."""
        return [known[0] for (_group, name), known in self._by_kind.items() if name == kind]

    def listable(self, *, namespaced: bool) -> list[Resource]:
        """One resource (preferred version) for each kind that can be listed and deleted."""
        return [
            r[0]
            for r in self._by_kind.values()
            if r[0].namespaced is namespaced and {"list", "delete"} <= set(self._verbs.get(r[0].collection(), ()))
        ]

    def api_versions(self) -> tuple[str, ...]:
        """In the two forms that a chart's ``.Capabilities.APIVersions.Has`` knows, sorted."""
        found: set[str] = set()
        for resources in self._by_kind.values():
            for r in resources:
                found.add(r.api_version)
                found.add(f"{r.api_version}/{r.kind}")
        return tuple(sorted(found))

    @classmethod
    def read(cls, client: Client) -> Discovery:
        """Raises ``UnsupportedError`` where the API server is too old to tell all in one answer."""
        resources: list[Resource] = []
        verbs: Json = {}
        for root in ("/api", "/apis"):
            answer = client.get(root, accept=_AGGREGATED) or {}
            if answer.get("kind") != "APIGroupDiscoveryList":
                told = answer.get("kind") or "nothing"
                raise UnsupportedError(
                    "SLW-6106",
                    f"the API server answers {root} with {told}: it has no aggregated discovery",
                    "Kubernetes 1.27 or later is needed",
                )
            for item in answer.get("items") or []:
                group = str((item.get("metadata") or {}).get("name") or "")
                for version in item.get("versions") or []:
                    for entry in version.get("resources") or []:
                        kind = entry.get("responseKind") or {}
                        resource = Resource(
                            group=str(kind.get("group") or group),
                            version=str(kind.get("version") or version["version"]),
                            kind=str(kind.get("kind", "")),
                            plural=str(entry["resource"]),
                            namespaced=entry.get("scope") == "Namespaced",
                        )
                        resources.append(resource)
                        verbs[resource.collection()] = entry.get("verbs") or []
        return cls(resources, verbs)


def served_now(client: Client, resource: Resource) -> Resource:
    """Where a kind that answers with 404 is served now: its CRD knows at once what discovery says a moment later."""
    if not is_custom(resource.group):
        return resource
    try:
        crd = client.get(CRD.path("", f"{resource.plural}.{resource.group}"))
    except ApiError as exc:
        if exc.status != 403:
            raise
        return Discovery.read(client).served(resource)
    versions = crd_resources(crd) if crd else []
    return resource if resource in versions or not versions else versions[0]
