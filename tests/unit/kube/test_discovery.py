# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Where a kind is served when the version that somebody remembers is not served any more."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.discovery import Discovery, served_now
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import ApiError, UnsupportedError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import Resource

GROUP = "shop.example.com"


def thing(version: str) -> Resource:
    return Resource(GROUP, version, "Thing", "things", True)


class Server:
    """Serves things at ``versions``; discovery still says ``told``."""

    kind = "APIGroupDiscoveryList"

    def __init__(self, *versions: str, told: tuple[str, ...] = (), refused: bool = False) -> None:
        self.versions = versions
        self.told = told
        self.refused = refused

    def get(self, path: str, query: object = None, accept: str = "") -> dict[str, Any] | None:
        if path == "/api":
            return {"kind": self.kind, "items": []}
        if path == "/apis":
            entry = {"resource": "things", "scope": "Namespaced", "responseKind": {"kind": "Thing"}, "verbs": ["list"]}
            versions = [{"version": v, "resources": [entry]} for v in self.told]
            return {"kind": self.kind, "items": [{"metadata": {"name": GROUP}, "versions": versions}]}
        assert path == f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{GROUP}"
        if self.refused:
            raise ApiError(403, "Forbidden", "no", (), f"GET {path}")
        if not self.versions:
            return None
        served = [{"name": v, "served": True, "storage": v == self.versions[-1]} for v in self.versions]
        names = {"kind": "Thing", "plural": "things"}
        return {"spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": served}}


@pytest.mark.parametrize(
    ("told", "asked", "found"),
    [
        (("v1", "v1beta1"), "v1beta1", "v1beta1"),
        (("v2", "v1"), "v1beta1", "v2"),
        ((), "v1beta1", "v1beta1"),
    ],
    ids=["still served", "another in its place", "no such kind"],
)
def test_discovery_names_what_is_served_in_the_place_of_a_version(
    told: tuple[str, ...], asked: str, found: str
) -> None:
    assert Discovery([thing(version) for version in told]).served(thing(asked)) == thing(found)


@pytest.mark.parametrize(
    ("server", "found"),
    [
        (Server("v1beta1", "v2"), "v1beta1"),
        (Server("v2", told=("v1beta1",)), "v2"),
        (Server(told=("v2",)), "v1beta1"),
        (Server("v2", told=("v3",), refused=True), "v3"),
    ],
    ids=["still served", "discovery is late", "no CRD", "no right to read CRDs"],
)
def test_the_crd_is_asked_where_a_kind_is_served(server: Server, found: str) -> None:
    assert served_now(cast("Client", server), thing("v1beta1")) == thing(found)


def test_no_crd_is_asked_about_the_kinds_of_kubernetes() -> None:
    deployments = Resource("apps", "v1", "Deployment", "deployments", True)
    assert served_now(cast("Client", None), deployments) == deployments


def test_a_server_without_aggregated_discovery_is_named_as_such() -> None:
    old = Server()
    old.kind = "APIVersions"
    with pytest.raises(UnsupportedError, match=r"SLW-6106 .*/api with APIVersions.*Kubernetes 1\.27 or later"):
        Discovery.read(cast("Client", old))
